//! Catches alerts that depend on anything but the windows, that are told twice or not at all, or that hold something up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::oracle::alerts::{Limit, Rule, alerts, clock, fired};
use crate::oracle::cameras::cameras;
use crate::oracle::sensors::{Shape, USUAL, sensors};
use crate::support::cluster;
use crate::support::emitted;
use crate::support::kept::{Kept, STORES, Store};
use crate::support::place::Place;
use crate::support::readings::{Disorder, detections, movement, movements, seen};
use crate::support::record::{CAMERAS, MOVEMENTS, Record};
use crate::support::run::Run;
use crate::support::scene::Scene;
use crate::support::windows::{Rows, assert_table, read_lines};

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

/// Up to when windows of movements are judged.
fn judged(records: &[Record]) -> i64 {
    clock(records, MOVEMENTS, event_of_movement) - 3_000
}

/// What must come of movements.
fn expected(records: &[Record], shape: Shape) -> Rows {
    alerts(&rules(), &sensors(records, shape).windows, (0, shape.slide), judged(records))
}

#[track_caller]
fn assert_stored(kept: &Kept, expected: &Rows) {
    assert_table("alerts", &kept.tables()["alerts"], expected);
}

#[test]
fn alerts_of_movements_at_any_size() {
    movements_at_any_size(Store::Sqlite);
}

#[test]
fn alerts_of_movements_at_any_size_in_clickhouse() {
    movements_at_any_size(Store::ClickHouse);
}

fn movements_at_any_size(store: Store) {
    let records = movements(3_000, 101, HALF_A_MINUTE);
    let (expected, input) = (expected(&records, USUAL), Place::new());
    // Rules that never fire, or once, would prove little.
    assert_eq!(fired(&expected).len(), rules().len(), "{:?}", fired(&expected));
    assert!(expected.len() > 60, "{}", expected.len());
    let folder = input.input("in", &records);
    for args in [&["-w", "1"][..], &[&["-w", "2"], SMALL_BATCHES].concat()] {
        let kept = Kept::new(store);
        ruled(kept.replay(), &rules()).args(args).arg(&folder).summary();
        assert_stored(&kept, &expected);
    }
    let kept = Kept::new(store);
    let run = || ruled(kept.replay(), &rules()).args(["-w", "2"]).args(SMALL_BATCHES).arg(&folder);
    let [first, second] = cluster::end(cluster::start(run));
    second.expect(0);
    first.expect(0);
    assert_stored(&kept, &expected);
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
    for (workers, store) in [("1", Store::Sqlite), ("2", Store::Sqlite), ("2", Store::ClickHouse)] {
        let kept = Kept::new(store);
        ruled(kept.replay(), &of_cameras()).args(["-w", workers]).args(SMALL_BATCHES).arg(&folder).summary();
        assert_stored(&kept, &expected);
    }
}

#[test]
fn alerts_of_runs_that_stop_and_go_on() {
    stop_and_go_on(Store::Sqlite);
}

#[test]
fn alerts_of_runs_that_stop_and_go_on_in_clickhouse() {
    stop_and_go_on(Store::ClickHouse);
}

/// Stopped in order, and killed at any point, it neither fires again nor forgets; also where windows are forgotten.
fn stop_and_go_on(store: Store) {
    for (lateness, disorder) in [(USUAL.lateness, 30_000), (90_000, 60_000)] {
        let (records, shape) = (movements(6_000, 103, Disorder(disorder)), Shape { lateness, ..USUAL });
        let expected = expected(&records, shape);
        let late = format!("sensors.lateness={lateness}ms");
        let run = |kept: &Kept, workers: &str, folder: &Path| {
            let run = ruled(kept.replay(), &rules()).args(["-w", workers]).args(SMALL_BATCHES);
            run.args(["--set", &late]).arg(folder)
        };
        let kept = Kept::new(store);
        for (n, part) in records.chunks(records.len() / 3 + 1).enumerate() {
            run(&kept, ["2", "1", "3"][n], &kept.place.input(&format!("part-{n}"), part)).summary();
        }
        assert_stored(&kept, &expected);
        assert_eq!(kept.count("alert_states") > 0, lateness < USUAL.lateness, "what is forgotten leaves its state");

        let kept = Kept::new(store);
        let (folder, most) = (kept.place.input("all", &records), expected.len());
        let killed = [1, most / 4, most / 2].map(|rows| kept.kill_at("alerts", rows, run(&kept, "2", &folder)));
        assert!(killed.contains(&true), "one was under way: {killed:?}");
        run(&kept, "1", &folder).summary();
        assert_stored(&kept, &expected);
    }
}

/// One who walks a meter a second and seems to have been far away for one instant, which is set right late.
fn a_leap_that_was_none() -> [Vec<Record>; 2] {
    let mut scene = Scene::default();
    for second in 0..200 {
        let x = if second == 50 { 500.0 } else { second as f64 };
        scene.send(MOVEMENTS, 3, &movement(1, "ann", "walker", (x, 0.0), second * 1_000)).ts += second * 1_000;
    }
    scene.send(MOVEMENTS, 3, &movement(1, "ann", "walker", (50.0, 0.0), 50_000)).ts += 200_000;
    let late = scene.records.split_off(200);
    [scene.records, late]
}

/// What late data say should not have fired is gone from the table, and told to be withdrawn: by the run that told of it, and
/// by one that goes on from what the store has kept.
#[test]
fn what_late_data_undo_is_withdrawn() {
    let (limit, picks) = (Limit::Above(5.0, 5.0), ["*", ""]);
    let leap = [Rule { name: "leap", figure: "sensors.max_speed", picks, limit, hold: 0, repeat: 0 }];
    let [first, late] = a_leap_that_was_none();
    for store in STORES {
        let kept = Kept::new(store);
        let run = |name: &str, records: &[Record]| {
            let run = ruled(kept.replay(), &leap).args(["--emit"]).arg(kept.place.path("emit"));
            run.arg(kept.place.input(name, records)).summary();
            let mut told: Vec<_> = emitted::read(&kept.place.path("emit"), "alerts").iter().map(Record::body).collect();
            told.sort_by_key(|body| body["state"].to_string());
            told.iter().map(|body| body["state"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(run("first", &first), ["firing", "resolved"]);
        let before = alerts(&leap, &sensors(&first, USUAL).windows, (0, USUAL.slide), judged(&first));
        assert_eq!(before.len(), 1);
        assert_stored(&kept, &before);
        assert_eq!(run("late", &late), ["withdrawn"]);
        assert_stored(&kept, &Rows::new());
    }
}

/// How alerts stand whose rules are gone, as far as windows were judged: none fires.
fn closed(mut alerts: Rows, judged: i64) -> Rows {
    let at = judged - judged.rem_euclid(USUAL.slide);
    for row in alerts.values_mut().filter(|row| row[1] == "firing") {
        (row[1], row[4]) = (json!("resolved"), json!(at));
    }
    alerts
}

/// What fires when its rule is taken away is over with the next run, once, whatever rules are left; and fires again when the
/// rule comes back.
#[test]
fn alerts_of_a_rule_that_is_gone_are_over() {
    let records = movements(3_000, 106, HALF_A_MINUTE);
    let before = expected(&records, USUAL);
    let open = before.values().filter(|row| row[1] == "firing").count();
    assert!(open > 3, "{open}");
    let mut others = rules();
    others.retain(|rule| !before.iter().any(|(key, row)| key.contains(rule.name) && row[1] == "firing"));
    assert!(!others.is_empty(), "a rule of which nothing fires");
    for store in STORES {
        for left in [&[][..], &others, &of_cameras()] {
            let kept = Kept::new(store);
            let folder = kept.place.input("in", &records);
            ruled(kept.replay(), &rules()).arg(&folder).summary();
            let told = |rules: &[Rule]| {
                let run = ruled(kept.replay(), rules).arg("--emit").arg(kept.place.path("emit"));
                run.arg(kept.place.input("one", &records[..1])).summary();
                emitted::read(&kept.place.path("emit"), "alerts").iter().map(Record::body).collect::<Vec<_>>()
            };
            let bodies = told(left);
            assert_eq!(bodies.len(), open, "{store:?}: {bodies:?}");
            assert!(bodies.iter().all(|body| body["state"] == "resolved" && body["resolvedAt"].is_string()));
            assert_stored(&kept, &closed(before.clone(), judged(&records)));
            assert_eq!(told(left), Vec::<Value>::new(), "it is told once");
            ruled(kept.replay(), &rules()).arg(kept.place.input("one", &records[..1])).summary();
            assert_stored(&kept, &before);
        }
    }
}

/// With a rule goes what a run would go on from, and what is of another pipeline's rule stays.
#[test]
fn states_of_a_rule_that_is_gone_are_forgotten() {
    let (records, shape) = (movements(3_000, 103, Disorder(60_000)), Shape { lateness: 90_000, ..USUAL });
    let late = format!("sensors.lateness={}ms", shape.lateness);
    for store in STORES {
        let kept = Kept::new(store);
        let run = |rules: &[Rule], pipelines: &str, records: &[Record]| {
            let run = ruled(kept.replay(), rules).args(["--set", &late, "--pipelines", pipelines]);
            run.args(SMALL_BATCHES).arg(kept.place.input("in", records)).summary();
            kept.count("alert_states")
        };
        let states = run(&rules(), "sensors,cameras", &records);
        assert!(states > 5, "{states}");
        assert_eq!(run(&rules(), "cameras", &records[..1]), states);
        assert_eq!(run(&rules(), "sensors,cameras", &records[..1]), states);
        assert_eq!(run(&of_cameras(), "sensors,cameras", &records[..1]), 0);
        assert!(kept.tables()["alerts"].values().all(|row| row[1] == "resolved"));
    }
}

/// A key may hold whatever a statement gives a meaning to.
#[test]
fn odd_keys_are_only_keys() {
    let mut scene = Scene::default();
    for (n, kind) in
        (0..).zip(["'); DROP TABLE x; --", "a\\", "a,b", "?", "tab\tline\nnul\0", "all", "é🚢", " location=1"])
    {
        for step in 0..30 {
            scene.send(CAMERAS, 1, &seen(n % 3, 4, n * 100 + step, kind, step * 3_000)).ts += step * 3_000;
        }
    }
    let (limit, picks) = (Limit::Above(3.0, 3.0), ["*", "*"]);
    let rule = [Rule { name: "odd", figure: "cameras.detections", picks, limit, hold: 0, repeat: 0 }];
    let windows = cameras(&scene.records, 10_000, &BTreeMap::new()).windows;
    let clock = clock(&scene.records, CAMERAS, |body| body["timestamp_detected"].as_i64().expect("a time")) - 3_000;
    let expected = alerts(&rule, &windows, (10_000, 10_000), clock);
    assert!(expected.len() > 20, "{}", expected.len());
    for store in STORES {
        let kept = Kept::new(store);
        for (n, part) in scene.records.chunks(100).enumerate() {
            let run = ruled(kept.replay(), &rule).args(["--set", "cameras.lateness=300s"]).args(SMALL_BATCHES);
            run.arg(kept.place.input(&n.to_string(), part)).summary();
        }
        assert_stored(&kept, &expected);
    }
}

/// What is sent on is the same at any size; the last that is told of a key is how it stands.
#[test]
fn messages_tell_what_the_table_says() {
    let records = movements(2_000, 104, HALF_A_MINUTE);
    let input = Place::new();
    let folder = input.input("in", &records);
    let mut told: Option<BTreeSet<_>> = None;
    for (workers, store) in [("1", Store::Sqlite), ("3", Store::Sqlite), ("2", Store::ClickHouse)] {
        let kept = Kept::new(store);
        let run = ruled(kept.replay(), &rules()).args(SMALL_BATCHES).args(["-w", workers]).arg("--emit");
        run.arg(kept.place.path("emit")).arg(&folder).summary();
        let messages = emitted::read(&kept.place.path("emit"), "alerts");
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
        for (key, row) in kept.tables().remove("alerts").expect("a table") {
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
    let kept = Kept::new(Store::Sqlite);
    let flaps = Rule {
        name: "flaps",
        figure: "sensors.travelers",
        picks: ["*", "*"],
        limit: Limit::Above(2.0, 2.0),
        hold: 0,
        repeat: 600_000,
    };
    let args = ["--set", "sensors.window=10s", "--set", "sensors.visit_gap=5s", "--emit"];
    let run = ruled(kept.replay(), &[flaps]).args(args).arg(kept.place.path("emit"));
    run.arg(kept.place.input("in", &scene.records)).summary();
    let messages = emitted::read(&kept.place.path("emit"), "alerts");
    let firing = messages.iter().filter(|message| message.body()["state"] == "firing").count();
    assert!((20..=34).contains(&firing), "20,000 s are 33 times 600 s: {firing}");
    assert!(messages.len() <= 2 * firing, "{}", messages.len());
    assert_eq!(kept.count("alerts"), firing);
}

#[test]
fn lines_hold_alerts_too() {
    let records = movements(1_000, 105, HALF_A_MINUTE);
    let place = Place::new();
    let (store, lines) = (format!("ndjson:{}", place.path("lines").display()), place.path("lines"));
    ruled(place.replay_into(&store), &rules()).arg(place.input("in", &records)).args(SMALL_BATCHES).summary();
    assert_table("alerts", &read_lines(&lines, "alerts"), &expected(&records, USUAL));
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
}
