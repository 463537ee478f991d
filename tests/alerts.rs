//! Catches alerts that depend on anything but the windows, that are told twice or not at all, or that hold something up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::oracle::alerts::{Limit, Rule, alerts, clock, fired};
use crate::oracle::cameras::cameras;
use crate::oracle::sensors::{Shape, USUAL, sensors};
use crate::sensors::kill_at;
use crate::support::cluster;
use crate::support::emitted;
use crate::support::place::Place;
use crate::support::readings::{Disorder, detections, movement, movements};
use crate::support::record::{CAMERAS, MOVEMENTS, Record};
use crate::support::run::Run;
use crate::support::scene::Scene;
use crate::support::windows::{Rows, assert_table};

const SMALL_BATCHES: &[&str] = &["--set", "kafka.citylens.batch_size=37"];
const HALF_A_MINUTE: Disorder = Disorder(30_000);

/// Rules of all kinds.
fn rules() -> Vec<Rule> {
    let rule = |name, figure, picks, limit, (hold, repeat)| Rule { name, figure, picks, limit, hold, repeat };
    vec![
        rule("fast", "sensors.avg_speed", ["*", ""], Limit::Above(700.0, 400.0), (20_000, 60_000)),
        rule("slow", "sensors.min_speed", ["*", "car"], Limit::Below(40.0, 90.0), (0, 30_000)),
        rule("peak", "sensors.max_speed", ["", ""], Limit::Above(9_000.0, 5_000.0), (0, 0)),
        rule("calm", "sensors.samples", ["41", ""], Limit::Below(3.0, 6.0), (10_000, 45_000)),
        rule("many", "sensors.travelers", ["*", "*"], Limit::Above(1.0, 1.0), (30_000, 300_000)),
        rule("gone", "sensors.samples", ["*", "bike"], Limit::Absent, (40_000, 0)),
    ]
}

fn of_cameras() -> Vec<Rule> {
    let rule = |name, figure, picks, limit, (hold, repeat)| Rule { name, figure, picks, limit, hold, repeat };
    vec![
        rule("rush", "cameras.rate", ["*", ""], Limit::Above(0.35, 0.2), (0, 20_000)),
        rule("seen", "cameras.detections", ["", "car"], Limit::Above(4.0, 3.0), (10_000, 0)),
        rule("lost", "cameras.detections", ["3", "*"], Limit::Absent, (20_000, 0)),
    ]
}

/// A run told of rules, of which only the foremost partition says how far it has come.
fn ruled(run: Run, rules: &[Rule]) -> Run {
    let run = run.args(rules.iter().flat_map(Rule::args));
    run.args(["--set", "alerts.idle=0s", "--set", "alerts.wait=3s"])
}

fn event_of_movement(body: &Value) -> i64 {
    body["timestamp"].as_str().and_then(|at| at.parse::<Timestamp>().ok()).expect("a time").as_millisecond()
}

/// What must come of movements.
fn expected(records: &[Record], shape: Shape) -> Rows {
    let clock = clock(records, MOVEMENTS, event_of_movement) - 3_000;
    alerts(&rules(), &sensors(records, shape).windows, (0, shape.slide), clock)
}

/// The rows of the table.
fn stored(place: &Place) -> Rows {
    let select = "SELECT rule, key, fired_at, figure, state, threshold, value, resolved_at, resolved_value FROM alerts";
    let rows = place.store().rows(select).into_iter();
    rows.map(|row| (json!(row[..3]).to_string(), row[3..].to_vec())).collect()
}

#[track_caller]
fn assert_stored(place: &Place, expected: &Rows) {
    assert_table("alerts", &stored(place), expected);
}

#[test]
fn alerts_of_movements_at_any_size() {
    let records = movements(3_000, 101, HALF_A_MINUTE);
    let (expected, input) = (expected(&records, USUAL), Place::new());
    // Rules that never fire, or once, would prove little.
    assert_eq!(fired(&expected).len(), rules().len(), "{:?}", fired(&expected));
    assert!(expected.len() > 60, "{}", expected.len());
    let folder = input.input("in", &records);
    for args in [&["-w", "1"][..], &[&["-w", "2"], SMALL_BATCHES].concat()] {
        let place = Place::new();
        ruled(place.replay(), &rules()).args(args).arg(&folder).summary();
        assert_stored(&place, &expected);
    }
    let place = Place::new();
    let run = || ruled(place.replay(), &rules()).args(["-w", "2"]).args(SMALL_BATCHES).arg(&folder);
    let [first, second] = cluster::end(cluster::start(run));
    second.expect(0);
    first.expect(0);
    assert_stored(&place, &expected);
}

#[test]
fn alerts_of_cameras_at_any_size() {
    let records = detections(2_000, 102, Disorder(120_000));
    let windows = cameras(&records, 10_000, &BTreeMap::new()).windows;
    let clock = clock(&records, CAMERAS, |body| body["timestamp_detected"].as_i64().expect("a time")) - 3_000;
    let expected = alerts(&of_cameras(), &windows, (10_000, 10_000), clock);
    assert_eq!(fired(&expected).len(), of_cameras().len(), "{:?}", fired(&expected));
    let input = Place::new();
    let folder = input.input("in", &records);
    for workers in ["1", "2"] {
        let place = Place::new();
        ruled(place.replay(), &of_cameras()).args(["-w", workers]).args(SMALL_BATCHES).arg(&folder).summary();
        assert_stored(&place, &expected);
    }
}

/// Stopped in order, and killed at any point, it neither fires again nor forgets; also where windows are forgotten.
#[test]
fn alerts_of_runs_that_stop_and_go_on() {
    for (lateness, disorder) in [(USUAL.lateness, 30_000), (90_000, 60_000)] {
        let (records, shape) = (movements(6_000, 103, Disorder(disorder)), Shape { lateness, ..USUAL });
        let expected = expected(&records, shape);
        let late = format!("sensors.lateness={lateness}ms");
        let run = |place: &Place, workers: &str, folder: &Path| {
            let run = ruled(place.replay(), &rules()).args(["-w", workers]).args(SMALL_BATCHES);
            run.args(["--set", &late]).arg(folder)
        };
        let place = Place::new();
        for (n, part) in records.chunks(records.len() / 3 + 1).enumerate() {
            run(&place, ["2", "1", "3"][n], &place.input(&format!("part-{n}"), part)).summary();
        }
        assert_stored(&place, &expected);

        let (place, folder) = (Place::new(), place.input("all", &records));
        let most = i64::try_from(expected.len()).expect("small");
        let killed = [1, most / 4, most / 2].map(|rows| kill_at(&place, "alerts", rows, run(&place, "2", &folder)));
        assert!(killed.contains(&true), "one was under way: {killed:?}");
        run(&place, "1", &folder).summary();
        assert_stored(&place, &expected);
    }
}

/// What is sent on is the same at any size; the last that is told of a key is how it stands.
#[test]
fn messages_tell_what_the_table_says() {
    let records = movements(2_000, 104, HALF_A_MINUTE);
    let input = Place::new();
    let folder = input.input("in", &records);
    let mut told: Option<BTreeSet<_>> = None;
    for workers in ["1", "3"] {
        let place = Place::new();
        let run = ruled(place.replay(), &rules()).args(SMALL_BATCHES).args(["-w", workers]).arg("--emit");
        run.arg(place.path("emit")).arg(&folder).summary();
        let messages = emitted::read(&place.path("emit"), "alerts");
        emitted::assert_well_formed(&messages, 6);
        let mut stands: BTreeMap<String, Value> = BTreeMap::new();
        for message in &messages {
            let body = message.body();
            assert_eq!(
                message.headers.iter().map(|(name, _)| &**name).collect::<Vec<_>>(),
                ["message-type", "request-id", "env"]
            );
            assert_eq!(message.headers[0].1, "alert");
            stands.insert(json!([body["rule"], body["key"]]).to_string(), body["state"].clone());
        }
        let mut last: BTreeMap<String, (i64, Value)> = BTreeMap::new();
        for (key, row) in stored(&place) {
            let key: Value = serde_json::from_str(&key).expect("a key");
            let fired = key[2].as_i64().expect("a time");
            let stand = last.entry(json!([key[0], key[1]]).to_string()).or_insert((fired, row[1].clone()));
            if fired >= stand.0 {
                *stand = (fired, row[1].clone());
            }
        }
        assert!(last.len() > 10, "{last:?}");
        for (key, (_, state)) in last {
            assert_eq!(stands[&key] == "firing", state == "firing", "{key}");
        }
        let bytes: BTreeSet<_> = messages.into_iter().map(|m| (m.key, m.ts, m.headers, m.payload)).collect();
        assert!(told.is_none_or(|before| before == bytes), "the same messages");
        told = Some(bytes);
    }
}

/// A figure that goes up and down all the time: each firing and its end, and no more than `repeat` lets pass.
#[test]
fn a_flapping_input_does_not_flood() {
    let mut scene = Scene::default();
    for n in 0..2_000i64 {
        let kinds = if n % 2 == 0 { &["a", "b", "c"][..] } else { &["a"] };
        for who in kinds {
            scene.send(MOVEMENTS, 3, &movement(1, who, "car", (n as f64, 0.0), n * 10_000)).ts += n * 10_000;
        }
    }
    let place = Place::new();
    let flaps = Rule {
        name: "flaps",
        figure: "sensors.travelers",
        picks: ["*", "*"],
        limit: Limit::Above(2.0, 2.0),
        hold: 0,
        repeat: 600_000,
    };
    let args = ["--set", "sensors.window=10s", "--set", "sensors.visit_gap=5s", "--emit"];
    let run = ruled(place.replay(), &[flaps]).args(args).arg(place.path("emit"));
    run.arg(place.input("in", &scene.records)).summary();
    let messages = emitted::read(&place.path("emit"), "alerts");
    let firing = messages.iter().filter(|message| message.body()["state"] == "firing").count();
    assert!((20..=34).contains(&firing), "20,000 s are 33 times 600 s: {firing}");
    assert!(messages.len() <= 2 * firing, "{}", messages.len());
    assert_eq!(stored(&place).len(), firing);
}

#[test]
fn lines_hold_alerts_too() {
    let records = movements(1_000, 105, HALF_A_MINUTE);
    let place = Place::new();
    let (store, lines) = (format!("ndjson:{}", place.path("lines").display()), place.path("lines"));
    ruled(place.replay_into(&store), &rules()).arg(place.input("in", &records)).args(SMALL_BATCHES).summary();
    let mut rows = Rows::new();
    for line in std::fs::read_to_string(lines.join("alerts.ndjson")).expect("a file").lines() {
        let row: Value = serde_json::from_str(line).expect("a line");
        let of = |columns: &[&str]| columns.iter().map(|column| row[*column].clone()).collect::<Vec<_>>();
        let key = json!(of(&["rule", "key", "fired_at"])).to_string();
        let columns = ["figure", "state", "threshold", "value", "resolved_at", "resolved_value"];
        match row["deleted"] == true {
            true => drop(rows.remove(&key)),
            false => drop(rows.insert(key, of(&columns))),
        }
    }
    assert_table("alerts", &rows, &expected(&records, USUAL));
}

#[test]
fn a_rule_that_cannot_be_is_refused() {
    let place = Place::new();
    let folder = place.input("in", &movements(10, 1, HALF_A_MINUTE));
    let refused = |sets: &[&str], words: &[&str]| {
        let sets = sets.iter().flat_map(|set| ["--set".to_owned(), format!("alerts.{set}")]);
        place.replay().args(sets).arg(&folder).end().expect(2).says(words);
    };
    refused(&["x.figure=sensors.avg_sped", "x.above=3"], &["alerts.x.figure", "sensors.avg_speed"]);
    refused(&["x.figure=sensors.avg_speed", "x.above=3", "x.resolve=4"], &["alerts.x.resolve", "not above"]);
    refused(&["x.figure=sensors.avg_speed", "x.abvoe=3"], &["alerts.x.abvoe", "`alerts.x.above`"]);
    let rule = ["--set", "alerts.x.figure=sensors.samples", "--set", "alerts.x.above=3"];
    place.replay_into("clickhouse").args(rule).arg(&folder).end().expect(2).says(&["clickhouse", "alerts"]);
}
