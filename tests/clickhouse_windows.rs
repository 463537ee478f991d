//! Catches windows that ClickHouse loses, has twice or keeps half of: it has no transactions, and runs are killed at any instant.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::clickhouse::replay;
use crate::oracle::cameras::cameras;
use crate::oracle::sensors::{Shape, USUAL, sensors};
use crate::support::clickhouse::{Database, Server};
use crate::support::cluster;
use crate::support::kafka::{Topics, renumbered};
use crate::support::place::{Place, shown};
use crate::support::ports::free_ports;
use crate::support::readings::{Disorder, detections, movement, movements, seen};
use crate::support::record::{CAMERAS, MOVEMENTS, Record};
use crate::support::run::{Run, random_ms, wait_until};
use crate::support::scene::Scene;
use crate::support::windows::{assert_table, everything_in, stored_in};

const SMALL_BATCHES: &[&str] = &["--set", "kafka.citylens.batch_size=37"];

/// Lateness that state forgets by while a test runs.
const SHORT: Shape = Shape { lateness: 6_000, ..USUAL };

/// A replay of sensors and cameras, told how late readings may be.
fn windows(place: &Place, database: &Database, shape: Shape) -> Run {
    let lateness = format!("sensors.lateness={}ms", shape.lateness);
    replay(place, database).args(["--pipelines", "sensors,cameras", "--set", &lateness])
}

/// Movements and detections, in turn.
fn both(count: u64, seed: u64, disorder: Disorder) -> Vec<Record> {
    let mut records = [movements(count, seed, disorder), detections(count, seed, Disorder(120_000))].concat();
    records.sort_by_key(|record| record.ts);
    records
}

#[track_caller]
fn assert_stored(database: &Database, records: &[Record], shape: Shape) {
    assert_stored_with_names(database, records, shape, &BTreeMap::new());
}

#[track_caller]
fn assert_stored_with_names(database: &Database, records: &[Record], shape: Shape, names: &BTreeMap<i64, &str>) {
    let (sensors, cameras, tables) = (sensors(records, shape), cameras(records, 10_000, names), stored_in(database));
    assert_table("sensor_travelers", &tables["sensor_travelers"], &sensors.travelers);
    assert_table("sensor_windows", &tables["sensor_windows"], &sensors.windows);
    assert_table("camera_detections", &tables["camera_detections"], &cameras.detections);
    assert_table("camera_windows", &tables["camera_windows"], &cameras.windows);
    assert_eq!(database.count("pending_changes"), 0, "nothing is left to be done");
}

fn count(summary: &Value, pipeline: &str, name: &str) -> u64 {
    summary["pipelines"][pipeline][name].as_u64().unwrap_or_else(|| panic!("no {name} in {summary}"))
}

/// Replays twice: the first run stores all, the second changes nothing.
fn twice(records: &[Record], shape: Shape, args: &[&str]) {
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", records);
    let summary = windows(&place, &database, shape).args(args).arg(&folder).summary();
    assert_stored(&database, records, shape);
    assert_eq!(count(&summary, "sensors", "late"), sensors(records, shape).late);
    let before = everything_in(&database);
    let again = windows(&place, &database, shape).args(args).arg(&folder).summary();
    assert_eq!(["sensors", "cameras"].map(|pipeline| count(&again, pipeline, "upserts")), [0, 0], "{again}");
    assert!(before == everything_in(&database), "the second run has changed something");
}

#[test]
fn on_one_worker() {
    twice(&both(3_000, 91, Disorder(30_000)), USUAL, &["-w", "1"]);
}

#[test]
fn on_two_workers_in_small_batches() {
    twice(&both(3_000, 92, Disorder(30_000)), USUAL, &[&["-w", "2"], SMALL_BATCHES].concat());
}

/// Late readings change nothing, and of visits long gone the store forgets the readings.
#[test]
fn late_readings_and_visits_long_gone() {
    let records = both(3_000, 93, Disorder(12_000));
    let late = sensors(&records, SHORT).late;
    assert!(late > 100 && late < 2_500, "{late}");
    let (place, database) = (Place::new(), Server::shared().database());
    let run = windows(&place, &database, SHORT).args(["-w", "2"]).args(SMALL_BATCHES);
    let summary = run.arg(place.input("in", &records)).summary();
    assert_eq!(count(&summary, "sensors", "late"), late);
    assert_stored(&database, &records, SHORT);
    let kept = database.count("sensor_readings");
    assert!(kept > 0 && kept < 1_000, "{kept}");
}

/// With citylens beside them, as all pipelines are.
#[test]
fn on_two_processes_of_two_workers() {
    let records = both(2_000, 94, Disorder(30_000));
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", &records);
    let run = || replay(&place, &database).args(["-w", "2"]).args(SMALL_BATCHES).arg(&folder);
    let [first, second] = cluster::end(cluster::start(run));
    second.expect(0);
    let summary = first.expect(0).summary();
    assert_eq!(["sensors", "cameras"].map(|pipeline| count(&summary, pipeline, "records")), [2_000, 2_000]);
    assert_stored(&database, &records, USUAL);
    let [first, _] = cluster::end(cluster::start(run));
    assert_eq!(first.expect(0).summary()["upserts"], 0);
    assert_stored(&database, &records, USUAL);
}

/// Killed again and again, often between two of the statements that make one change.
fn killed_and_run_again(records: &[Record], shape: Shape) {
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", records);
    let run = |workers: &str| windows(&place, &database, shape).args(SMALL_BATCHES).args(["-w", workers]).arg(&folder);
    let mut half_made = 0;
    for workers in ["1", "2", "3", "1", "2", "1"] {
        let mut run = run(workers).start();
        wait_until("changes under way", || run.has_ended() || database.count("pending_changes") > 0);
        sleep(random_ms(150));
        run.kill();
        half_made += u64::from(database.count("pending_changes") > 0);
    }
    assert!(half_made >= 1, "some were killed amid their changes");
    run("2").summary();
    assert_stored(&database, records, shape);
}

#[test]
fn killed_and_run_again_at_random() {
    killed_and_run_again(&both(8_000, 95, Disorder(30_000)), USUAL);
}

#[test]
fn killed_and_run_again_where_state_forgets() {
    killed_and_run_again(&both(8_000, 96, Disorder(9_000)), SHORT);
}

/// Some tables have an epoch and others do not: the next run completes it before it reads any.
#[test]
fn changes_that_are_half_made_are_completed() {
    let records = both(8_000, 97, Disorder(30_000));
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", &records);
    let run = || windows(&place, &database, USUAL).args(SMALL_BATCHES).arg(&folder);
    let mut broken = run().start();
    wait_until("windows in the store", || broken.has_ended() || database.count("sensor_windows") > 0);
    database.sql("RENAME TABLE sensor_windows TO aside");
    broken.end().expect(1).says(&["the table sensor_windows", "hexflow migrate"]);
    database.sql("RENAME TABLE aside TO sensor_windows");
    assert_eq!(database.count("pending_changes"), 1);
    let half = everything_in(&database);
    run().arg("--dry-run").end().expect(1).says(&["a run of sensors was stopped amid its changes"]);
    assert!(half == everything_in(&database), "a dry run changes nothing");
    // Not even a run that reads nothing new goes on from half of it.
    let marks = "SELECT max(value) AS n FROM watermarks WHERE kind = 'offset' AND topic = 'movements'";
    let before = database.sql(marks)[0]["n"].clone();
    windows(&place, &database, USUAL).arg(place.input("one", &records[..1])).summary();
    assert_eq!(database.count("pending_changes"), 0);
    assert!(before.as_i64() < database.sql(marks)[0]["n"].as_i64(), "what was written down is made");
    run().summary();
    assert_stored(&database, &records, USUAL);
}

#[test]
fn a_day_in_parts_by_different_numbers_of_workers() {
    for shape in [USUAL, SHORT] {
        let records = both(3_000, 98, Disorder(9_000));
        let (place, database) = (Place::new(), Server::shared().database());
        for ((name, workers), part) in
            [("first", "2"), ("second", "1"), ("third", "3")].into_iter().zip(records.chunks(2_100))
        {
            windows(&place, &database, shape).args(["-w", workers]).arg(place.input(name, part)).summary();
        }
        assert_stored(&database, &records, shape);
    }
}

/// What turns out to have arrived before takes the place of what stood; and a location's name is corrected.
#[test]
fn an_older_dump_after_a_newer_one_and_other_names() {
    let records = detections(3_000, 99, Disorder(120_000));
    let (place, database) = (Place::new(), Server::shared().database());
    let (older, newer) = records.split_at(1_500);
    for (name, part) in [("newer", newer), ("older", older)] {
        windows(&place, &database, USUAL).args(["-w", "2"]).arg(place.input(name, part)).summary();
    }
    assert_stored(&database, &records, USUAL);
    let path = place.path("locations.csv");
    std::fs::write(&path, "geographical_location_oid,geographical_location\n-1,it's a \\ gate\n2,square\n")
        .expect("a file");
    let set = format!("cameras.locations={}", shown(&path));
    windows(&place, &database, USUAL).args(["--set", &set]).arg(place.path("newer")).summary();
    let names = BTreeMap::from([(-1, "it's a \\ gate"), (2, "square")]);
    assert_stored_with_names(&database, &records, USUAL, &names);
}

/// Ids and names may hold whatever a statement gives a meaning to, and clocks may be far off.
#[test]
fn odd_ids_and_times_are_only_ids_and_times() {
    let mut scene = Scene::default();
    let ids = ["'); DROP TABLE x; --", "a\\", "a,b", "?", "\u{1}", "tab\tline\nnul\0", "`{x:String}`", "é🚢", ","];
    for (n, id) in (0..).zip(ids) {
        for step in 0..3 {
            scene.send(MOVEMENTS, 2, &movement(n % 2, id, id, (step as f64, 1.0), step * 7_000));
            scene.send(CAMERAS, 1, &seen(n % 3, 4, n * 10 + step, id, step * 7_000));
        }
    }
    // Beyond what the server can write down as a time.
    scene.send(CAMERAS, 1, &seen(1, 4, 1_000, "car", 251_000_000_000_000));
    let records = scene.records;
    twice(&records, USUAL, &["--set", "kafka.citylens.batch_size=5"]);
}

/// The server is killed amid changes, and started again seconds later: the run goes on by itself.
#[test]
fn a_server_that_is_killed_and_comes_back() {
    let records = both(8_000, 100, Disorder(30_000));
    let place = Place::new();
    let server = Server::start(&place.path("server"), free_ports());
    let database = server.database();
    let mut run = windows(&place, &database, USUAL).args(SMALL_BATCHES).arg(place.input("in", &records)).start();
    wait_until("windows in the store", || run.has_ended() || database.count("sensor_windows") > 0);
    sleep(random_ms(200));
    let stopped = server.kill();
    sleep(Duration::from_secs(2));
    assert!(!run.has_ended(), "it waits");
    let _server = stopped.start();
    run.end().expect(0).says(&["ClickHouse at http://127.0.0.1", "answers again"]);
    assert_stored(&database, &records, USUAL);
}

/// What is not acknowledged is not committed, and read again; what was acknowledged is known.
#[test]
fn from_kafka_killed_again_and_again() {
    let mut records = [movements(2_500, 101, Disorder(30_000)), detections(2_500, 101, Disorder(120_000))].concat();
    records.sort_by_key(|record| record.offset);
    let (records, place, topics) = (renumbered(&records), Place::new(), Topics::new());
    let database = Server::shared().database();
    let run = |workers| {
        let run = database.configure(topics.run_into(&place, "clickhouse"));
        run.args(["--pipelines", "sensors,cameras", "--set", "kafka.citylens.batch_size=40", "-w", workers]).start()
    };
    let mut parts = records.chunks(records.len() / 4 + 1);
    for workers in ["1", "2", "1"] {
        topics.produce(parts.next().unwrap_or_default());
        let before = database.count("sensor_readings");
        let mut run = run(workers);
        wait_until("it is at work", || run.has_ended() || database.count("sensor_readings") > before);
        sleep(random_ms(300));
        assert_eq!(run.kill().code, None, "it was under way");
    }
    parts.for_each(|part| topics.produce(part));
    let last = run("2");
    topics.wait_for_lag(0);
    last.terminate();
    last.end().expect(0);
    assert_stored(&database, &records, USUAL);
}

/// Who runs one pipeline needs the tables of no other.
#[test]
fn tables_are_needed_by_their_pipeline_alone() {
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", &both(50, 102, Disorder(5_000)));
    database.sql("DROP TABLE camera_windows");
    replay(&place, &database).arg(&folder).end().expect(1).says(&["no table", "camera_windows", "hexflow migrate"]);
    replay(&place, &database).args(["--pipelines", "citylens,sensors"]).arg(&folder).summary();
    assert!(database.count("sensor_windows") > 0);
}

/// Detections go some time after they were written, whenever they were detected; never before they may come late.
#[test]
fn detections_are_kept_for_some_time() {
    let told = |database: &Database| {
        let query = "SELECT engine_full AS told FROM system.tables WHERE database = currentDatabase() AND name = \
                     'camera_detections'";
        database.sql(query)[0]["told"].as_str().expect("a text").to_owned()
    };
    let database = Server::shared().database();
    assert!(told(&database).contains(" TTL written_at + toIntervalSecond(86400) "), "{}", told(&database));
    let migrate = || database.configure(Run::new("migrate").args(["--only", "clickhouse", "--set", "cameras.keep=2d"]));
    migrate().end().expect(0).says(&["its rows do not go by TTL written_at + toIntervalSecond(172800)"]);
    database.sql("DROP TABLE camera_detections");
    migrate().args(["--set", "cameras.lateness=72h"]).end().expect(0);
    assert!(told(&database).contains(" TTL written_at + toIntervalSecond(259200) "), "{}", told(&database));
}

/// As they go while nothing runs: a run that would have to know them says so.
#[test]
fn detections_that_a_restart_needs_and_are_gone_are_told() {
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", &detections(300, 103, Disorder(120_000)));
    let run = || windows(&place, &database, USUAL).arg(&folder).end().expect(0);
    run();
    assert!(!run().stderr.contains("have gone"), "all are there");
    let before = database.count("camera_detections");
    database.sql("DELETE FROM camera_detections WHERE detection_oid < -70");
    let gone = before - database.count("camera_detections");
    assert!(gone > 10);
    run().says(&["have gone from camera_detections", &format!("count={gone}")]);
}
