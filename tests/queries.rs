//! Catches windows that are read otherwise than they were made: summed where they must be counted, weighed wrongly, left out.

use serde_json::{Value, json};

use crate::oracle::queries::{CAMERAS, Items, SENSORS, Seen, TOP};
use crate::oracle::sensors::{Shape, USUAL};
use crate::support::asked::{Api, Question, rows};
use crate::support::http::get;
use crate::support::kafka::{Topics, renumbered};
use crate::support::place::Place;
use crate::support::ports::free_ports;
use crate::support::readings::{Disorder, detections, movement, movements, seen};
use crate::support::record::{CAMERAS as DETECTED, MOVEMENTS, Record};
use crate::support::run::wait_until;
use crate::support::scene::{MIDNIGHT_MS, Scene};
use crate::support::varied::Dice;
use crate::support::windows::{assert_rows, stored};

fn store(place: &Place) -> String {
    format!("sqlite:{}", place.database().display())
}

/// A place with the windows of records.
fn filled(records: &[Record], sets: &[String]) -> Place {
    let place = Place::new();
    place.replay().args(sets).arg(place.input("in", records)).summary();
    place
}

fn sets(pairs: &[(&str, i64)]) -> Vec<String> {
    pairs.iter().flat_map(|(key, ms)| ["--set".to_owned(), format!("{key}={ms}ms")]).collect()
}

/// A number from the dice, with a sign.
fn roll(dice: &mut Dice, sides: u64) -> i64 {
    i64::try_from(dice.roll(sides)).expect("small")
}

/// One of some, or none.
fn any<T: Copy>(dice: &mut Dice, of: &[T]) -> Option<T> {
    of.get(usize::try_from(dice.roll(of.len() as u64 * 2)).expect("small")).copied()
}

#[test]
fn windows_of_sensors_over_any_span() {
    for (shape, seed) in [(USUAL, 91), (Shape { window: 25_000, slide: 4_000, gap: 30_000, ..USUAL }, 92)] {
        let sets =
            sets(&[("sensors.window", shape.window), ("sensors.slide", shape.slide), ("sensors.visit_gap", shape.gap)]);
        let records = movements(1_500, seed, Disorder(30_000));
        let (place, oracle, mut dice) = (filled(&records, &sets), Seen::of(&records, shape), Dice(seed));
        let api = Api::over(&store(&place), &sets);
        let mut combined = 0;
        for _ in 0..25 {
            let from = MIDNIGHT_MS + roll(&mut dice, 2_400_000) - 200_000;
            let span = (from, from + 1 + roll(&mut dice, 900_000));
            let step = shape.slide * (1 + roll(&mut dice, 20));
            let (sensor, kind) = (any(&mut dice, &[40, 42, 44, 77]), any(&mut dice, &["car", "bike", "nobody's"]));
            let question = Question::new("sensors", span).step(step).with("sensor", sensor).with("type", kind);
            let answer = question.answer(&store(&place), &sets, &api);
            assert_eq!(
                (&answer["from"], &answer["to"], &answer["step_ms"]),
                (&json!(span.0), &json!(span.1), &json!(step))
            );
            let (actual, expected) = (rows(&answer, &SENSORS), oracle.windows(span, step, sensor, kind));
            assert_rows(&format!("{question:?}"), &actual, &expected);
            combined += expected.iter().filter(|row| row[0].is_null() && row[8].as_u64() > Some(1)).count();
        }
        assert!(combined > 20, "all sensors together have windows with several travellers: {combined}");
        api.end();
    }
}

/// To the last bit; and without a step at each slide.
#[test]
fn one_sensor_and_type_is_told_as_it_is_stored() {
    let place = filled(&movements(1_500, 93, Disorder(30_000)), &[]);
    let api = Api::over(&store(&place), &[]);
    let question = Question::new("sensors", (MIDNIGHT_MS, MIDNIGHT_MS + 1_800_000));
    let question = question.with("sensor", Some(41)).with("type", Some("car"));
    let answer = rows(&question.answer(&store(&place), &[], &api), &SENSORS);
    let (table, mut found) = (stored(&place).remove("sensor_windows").expect("a table"), 0);
    for row in &answer {
        if let Some(stored) = table.get(&json!(row[..3]).to_string()) {
            assert_eq!(&row[3..], stored.as_slice());
            found += 1;
        } else {
            assert_eq!(&row[3..], [json!(60_000), json!(0.0), json!(0.0), json!(0.0), json!(0), json!(0)]);
        }
    }
    assert!(found > 50 && found < answer.len() && answer.len() == 180, "{found} of {}", answer.len());
}

/// Who was at two sensors, or came as two types, is one traveller; a sum of windows would say two.
#[test]
fn a_traveler_counts_once() {
    let mut scene = Scene::default();
    for (sensor, who, kind, ms) in [
        (1, "ann", "car", 1_000),
        (2, "ann", "car", 2_000),
        (2, "ann", "bike", 130_000), // another visit
        (1, "ann", "tram", 4_000),   // of the first visit: its type stays
        (1, "bob", "car", 5_000),
    ] {
        scene.send(MOVEMENTS, 0, &movement(sensor, who, kind, (ms as f64 / 1_000.0, 0.0), ms));
    }
    let place = filled(&scene.records, &sets(&[("sensors.window", 600_000)]));
    let sets = sets(&[("sensors.window", 600_000)]);
    let api = Api::over(&store(&place), &sets);
    let window = |sensor: Option<i64>, kind: Option<&str>| {
        let question = Question::new("sensors", (MIDNIGHT_MS + 590_000, MIDNIGHT_MS + 600_000));
        let question = question.with("sensor", sensor).with("type", kind);
        let rows = rows(&question.answer(&store(&place), &sets, &api), &SENSORS);
        assert_eq!(rows.len(), 1);
        (rows[0][7].clone(), rows[0][8].clone())
    };
    assert_eq!(window(None, None), (json!(1), json!(2)));
    assert_eq!(window(None, Some("car")), (json!(1), json!(2)));
    assert_eq!(window(Some(2), None), (json!(0), json!(1)), "two visits of two types");
    assert_eq!(window(Some(1), None), (json!(1), json!(2)));
    assert_eq!(window(Some(1), Some("tram")), (json!(0), json!(0)));
}

#[test]
fn windows_of_cameras_and_top_over_any_span() {
    for (window, seed) in [(10_000, 94), (7_000, 95)] {
        let (records, sets) = (detections(2_500, seed, Disorder(120_000)), sets(&[("cameras.window", window)]));
        let (place, oracle, mut dice) = (filled(&records, &sets), Items::of(&records), Dice(seed));
        let api = Api::over(&store(&place), &sets);
        let mut tied = 0;
        for _ in 0..25 {
            let step = window * (1 + roll(&mut dice, 6));
            let from = MIDNIGHT_MS + 700_000 + roll(&mut dice, 1_500_000);
            let from = from - from.rem_euclid(step);
            let span = (from, from + step * (1 + roll(&mut dice, 40)));
            let (location, item) = (any(&mut dice, &[-1, 0, 3, 9]), any(&mut dice, &["car", "bïke", "something else"]));
            let fill = dice.roll(2) == 0;
            let question = Question::new("cameras", span).step(step).with("location", location).with("item", item);
            let answer = question.with("fill", fill.then_some("true")).answer(&store(&place), &sets, &api);
            let expected = oracle.windows(span, step, location, item, fill);
            assert_eq!(rows(&answer, &CAMERAS), expected);
            let k = 1 + roll(&mut dice, 4);
            let question = Question::new("top", span).with("k", Some(k)).with("location", location);
            let answer = question.answer(&store(&place), &sets, &api);
            let expected = oracle.top(span, usize::try_from(k).expect("small"), location);
            assert_eq!(rows(&answer, &TOP), expected, "{question:?}");
            tied += expected.windows(2).filter(|pair| pair[0][..2] == pair[1][..2]).count();
        }
        assert!(tied > 0, "there are ties");
        api.end();
    }
}

#[test]
fn ties_are_shown_and_zeros_are_filled_in() {
    let mut scene = Scene::default();
    for (oid, item) in (0..).zip(["car", "car", "bus", "bus", "tram", "bike", "bike", "van"]) {
        scene.send(DETECTED, 0, &seen(7, 1, oid, item, 20_000 + oid * 1_000));
    }
    let place = filled(&scene.records, &[]);
    let api = Api::over(&store(&place), &[]);
    let span = (MIDNIGHT_MS, MIDNIGHT_MS + 40_000);
    let top = |k: i64| {
        let question = Question::new("top", span).with("k", Some(k));
        let rows = rows(&question.answer(&store(&place), &[], &api), &TOP);
        rows.into_iter()
            .map(|row| (row[1].as_i64().expect("a rank"), row[2].as_str().expect("a name").to_owned()))
            .collect::<Vec<_>>()
    };
    let ranked =
        |names: &[(i64, &str)]| names.iter().map(|(rank, name)| (*rank, (*name).to_owned())).collect::<Vec<_>>();
    assert_eq!(top(1), ranked(&[(1, "bike"), (1, "bus"), (1, "car")]));
    assert_eq!(top(3), top(1));
    assert_eq!(top(4), ranked(&[(1, "bike"), (1, "bus"), (1, "car"), (4, "tram"), (4, "van")]));
    let counts = |item: &str| {
        let question = Question::new("cameras", span).with("location", Some(7)).with("item", Some(item));
        let rows = rows(&question.with("fill", Some("true")).answer(&store(&place), &[], &api), &CAMERAS);
        rows.iter().map(|row| row[4].as_i64().expect("a count")).collect::<Vec<_>>()
    };
    assert_eq!((counts("car"), counts("cart")), (vec![0, 0, 2, 0], vec![0; 4]));
    let table = Question::new("top", span).with("k", Some(1)).command(&store(&place), "table").end().expect(0).stdout;
    assert!(table.lines().count() == 4 && table.contains("bike"), "{table}");
    let csv = Question::new("cameras", span).command(&store(&place), "csv").end().expect(0).stdout;
    assert!(
        csv.starts_with("geographical_location_oid,item_name,")
            && csv.contains(&format!("7,car,{},10000,2", span.0 + 20_000))
    );
}

/// The store is asked while it is written; what is answered at the end is all there is.
#[test]
fn a_live_run_answers_while_it_stores() {
    let mut records = [movements(3_000, 96, Disorder(30_000)), detections(3_000, 96, Disorder(120_000))].concat();
    records.sort_by_key(|record| record.offset);
    let records = renumbered(&records);
    let (place, topics, port) = (Place::new(), Topics::new(), free_ports());
    let run = topics.run(&place).args(["-w", "2", "--set", "kafka.citylens.batch_size=20"]);
    let run = run.args(["--set", &format!("api.listen=127.0.0.1:{port}")]).start();
    wait_until("it is ready", || get(port, "/readyz").is_some_and(|(status, _)| status == 200));
    let span = (MIDNIGHT_MS, MIDNIGHT_MS + 3_600_000);
    let (speeds, counts) = (Question::new("sensors", span), Question::new("cameras", span));
    let answer = |question: &Question, columns: &[&str]| {
        let (status, body) = question.get(port);
        assert_eq!(status, 200, "{body}");
        rows(&serde_json::from_str::<Value>(&body).expect("JSON"), columns)
    };
    let sum = |rows: &[Vec<Value>], at: usize| rows.iter().filter_map(|row| row[at].as_u64()).sum::<u64>();
    // Each part is told of while others are still to come.
    let mut before = (0, 0);
    for part in records.chunks(records.len() / 6 + 1) {
        topics.produce(part);
        let mut now = before;
        wait_until("what came is told", || {
            now = (sum(&answer(&speeds, &SENSORS), 7), sum(&answer(&counts, &CAMERAS), 4));
            now.0 > before.0 && now.1 > before.1
        });
        before = now;
    }
    topics.wait_for_lag(0);
    let expected = Items::of(&records).windows(span, 10_000, None, None, false);
    assert_rows("sensors", &answer(&speeds, &SENSORS), &Seen::of(&records, USUAL).windows(span, 10_000, None, None));
    assert_rows("cameras", &answer(&counts, &CAMERAS), &expected);
    run.terminate();
    run.end().expect(0);
}
