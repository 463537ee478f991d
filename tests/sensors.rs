//! Catches speeds, visits and windows that depend on anything but the readings: size, order, repeats, lateness, stops.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::oracle::sensors::{Sensors, Shape, USUAL, sensors};
use crate::support::cluster;
use crate::support::place::{Place, shown};
use crate::support::readings::{Disorder, movement, movements};
use crate::support::record::{MOVEMENTS, Record};
use crate::support::run::{Run, wait_until};
use crate::support::scene::{Scene, frame};
use crate::support::store::count_rows;
use crate::support::windows::{assert_table, everything, read_lines, stored};

const SMALL_BATCHES: &[&str] = &["--set", "kafka.citylens.batch_size=37"];

/// Half a minute out of order.
const USUAL_DISORDER: Disorder = Disorder(30_000);

/// A run told of a shape.
fn shaped(run: Run, shape: Shape) -> Run {
    let Shape { window, slide, gap, lateness } = shape;
    let keys = [("window", window), ("slide", slide), ("visit_gap", gap), ("lateness", lateness)];
    keys.into_iter().fold(run, |run, (key, ms)| run.args(["--set".to_owned(), format!("sensors.{key}={ms}ms")]))
}

#[track_caller]
fn assert_stored(place: &Place, expected: &Sensors) {
    let tables = stored(place);
    assert_table("sensor_travelers", &tables["sensor_travelers"], &expected.travelers);
    assert_table("sensor_windows", &tables["sensor_windows"], &expected.windows);
}

fn count(summary: &Value, name: &str) -> u64 {
    summary["pipelines"]["sensors"][name].as_u64().unwrap_or_else(|| panic!("no {name} in {summary}"))
}

/// Replays records in all sizes, and holds what is stored against the oracle.
fn at_any_size(records: &[Record], shape: Shape) -> Sensors {
    let expected = sensors(records, shape);
    let input = Place::new();
    let folder = input.input("in", records);
    for args in [&["-w", "1"][..], &[&["-w", "2"], SMALL_BATCHES].concat(), &["-w", "3", "--zerocopy"]] {
        let place = Place::new();
        let summary = shaped(place.replay(), shape).args(args).arg(&folder).summary();
        assert_stored(&place, &expected);
        let counts = ["records", "late", "stalled"].map(|name| count(&summary, name));
        assert_eq!(counts, [records.len() as u64, expected.late, 0], "{summary}");
        assert_eq!(count(&summary, "upserts") + count(&summary, "duplicates"), counts[0] - counts[1], "{summary}");
    }
    expected
}

#[test]
fn movements_at_any_size() {
    let records = movements(3_000, 1, USUAL_DISORDER);
    let expected = at_any_size(&records, USUAL);
    // A scene without visits that end would prove little.
    assert!(expected.travelers.len() > 200 && expected.windows.len() > 1_000, "{}", expected.travelers.len());
    assert_eq!(expected.late, 0);
}

#[test]
fn movements_on_two_processes_of_two_workers() {
    let records = movements(2_000, 2, USUAL_DISORDER);
    let (place, expected) = (Place::new(), sensors(&records, USUAL));
    let folder = place.input("in", &records);
    let run = || place.replay().args(["-w", "2"]).args(SMALL_BATCHES).arg(&folder);
    let [first, second] = cluster::end(cluster::start(run));
    second.expect(0);
    assert_eq!(count(&first.expect(0).summary(), "records"), 2_000);
    assert_stored(&place, &expected);
}

#[test]
fn windows_slides_and_gaps_of_any_length() {
    let records = movements(700, 3, USUAL_DISORDER);
    for (window, slide, gap) in
        [(10_000, 10_000, 35_000), (61_007, 13_001, 7_300), (5_000, 12_500, 1), (1, 1_000, 90_000)]
    {
        at_any_size(&records, Shape { window, slide, gap, ..USUAL });
    }
}

/// What is late is decided by a partition's own order, whatever else runs.
#[test]
fn readings_too_late_change_nothing_and_are_counted() {
    let records = movements(2_000, 4, Disorder(12_000));
    let expected = at_any_size(&records, Shape { lateness: 6_000, ..USUAL });
    assert!(expected.late > 100 && expected.late < 1_500, "{}", expected.late);
}

/// Partitions in any order against each other, and each shuffled within the lateness: where no instant has two readings, the
/// order means nothing.
#[test]
fn order_means_nothing() {
    let mut records = movements(1_500, 5, Disorder(60_000));
    let mut instants = BTreeMap::new();
    records.retain(|record| {
        let body = record.body();
        instants.insert(["sensor_id", "traveler_id", "timestamp"].map(|name| body[name].to_string()), ()).is_none()
    });
    let expected = sensors(&records, USUAL);
    for seed in 0..3u64 {
        // Of each partition the payloads change places, and partitions come one after the other.
        let mut shuffled = records.clone();
        shuffled
            .sort_by_key(|record| (u64::from(record.partition) * (seed * 2 + 1) % 7, record.partition, record.offset));
        for one in shuffled.chunk_by_mut(|a, b| a.partition == b.partition) {
            let payloads: Vec<_> = one.iter().map(|record| record.payload.clone()).collect();
            for (at, record) in one.iter_mut().enumerate() {
                let other = (payloads.len() - 1 - at + usize::try_from(seed).expect("small") * 10) % payloads.len();
                record.payload.clone_from(&payloads[other]);
            }
        }
        let mut offsets = BTreeMap::new();
        for (n, record) in (0..).zip(&mut shuffled) {
            let next = offsets.entry(record.partition).or_insert(0);
            (record.offset, record.ts) = (*next, records[0].ts + n);
            *next += 1;
        }
        let place = Place::new();
        place.replay().args(["-w", "2"]).args(SMALL_BATCHES).arg(place.input("in", &shuffled)).summary();
        assert_stored(&place, &expected);
    }
}

/// Starts a run and kills it as soon as the store holds so many rows of a table; whether it was still under way.
pub(crate) fn kill_at(place: &Place, table: &str, rows: i64, run: Run) -> bool {
    let mut run = run.start();
    wait_until("rows in the store", || run.has_ended() || count_rows(&place.database(), table) >= rows);
    run.kill().code.is_none()
}

fn killed_and_run_again(records: &[Record], shape: Shape) {
    let expected = sensors(records, shape);
    let (place, input) = (Place::new(), Place::new());
    let folder = input.input("in", records);
    let run = |workers: &str| shaped(place.replay(), shape).args(SMALL_BATCHES).args(["-w", workers]).arg(&folder);
    let rows = i64::try_from(expected.windows.len()).expect("small");
    let killed = [(1, "1"), (rows / 8, "2"), (rows / 3, "3"), (rows * 2 / 3, "1")]
        .map(|(at, workers)| kill_at(&place, "sensor_windows", at, run(workers)));
    assert!(killed.iter().filter(|under_way| **under_way).count() >= 2, "most were under way: {killed:?}");
    run("2").summary();
    assert_stored(&place, &expected);
}

#[test]
fn movements_killed_and_run_again() {
    killed_and_run_again(&movements(12_000, 6, USUAL_DISORDER), USUAL);
}

/// Of visits long gone the store forgets the readings: what is replayed once more must not begin them anew.
#[test]
fn movements_killed_and_run_again_where_state_forgets() {
    killed_and_run_again(&movements(12_000, 7, Disorder(9_000)), Shape { lateness: 6_000, ..USUAL });
}

#[test]
fn half_of_a_day_and_then_the_other() {
    for (lateness, disorder) in [(USUAL.lateness, 30_000), (6_000, 9_000)] {
        let (records, shape) = (movements(4_000, 8, Disorder(disorder)), Shape { lateness, ..USUAL });
        let (place, expected) = (Place::new(), sensors(&records, shape));
        let parts: Vec<_> = records.chunks(records.len() / 3 + 1).collect();
        let mut late = 0;
        for ((name, workers), part) in [("first", "2"), ("second", "1"), ("third", "3")].into_iter().zip(parts) {
            let run = shaped(place.replay(), shape).args(["-w", workers]).arg(place.input(name, part));
            late += count(&run.summary(), "late");
        }
        assert_stored(&place, &expected);
        assert_eq!(late, expected.late);
    }
}

/// Readings of visits that are over for good do not stay in the store.
#[test]
fn readings_that_nothing_needs_are_forgotten() {
    let (records, shape) = (movements(4_000, 9, Disorder(5_000)), Shape { lateness: 6_000, ..USUAL });
    let place = Place::new();
    shaped(place.replay(), shape).arg(place.input("in", &records)).args(SMALL_BATCHES).summary();
    let kept = count_rows(&place.database(), "sensor_readings");
    assert!(kept > 0 && kept < 1_000, "{kept}");
}

#[test]
fn the_same_again_changes_nothing() {
    let (place, records) = (Place::new(), movements(2_000, 10, USUAL_DISORDER));
    let folder = place.input("in", &records);
    place.replay().arg(&folder).summary();
    let before = everything(&place);
    for workers in ["1", "3"] {
        let summary = place.replay().args(["-w", workers]).arg(&folder).summary();
        assert_eq!((count(&summary, "upserts"), count(&summary, "duplicates")), (0, 2_000), "{summary}");
        assert_eq!(before, everything(&place));
    }
    assert_stored(&place, &sensors(&records, USUAL));
}

#[test]
fn a_malformed_movement_stalls_its_partition_alone() {
    let mut records = movements(1_000, 11, USUAL_DISORDER);
    let broken = records.iter().position(|record| record.partition == 5 && record.offset == 50).expect("a record");
    records[broken].edit(|body| body["position"] = serde_json::json!([1]));
    let (place, folder) = (Place::new(), Place::new());
    let folder = folder.input("in", &records);
    let output = place.replay().args(["-w", "2"]).arg(&folder).end().expect(3).says(&["movements", "position"]);
    let healthy = |record: &&Record| record.partition != 5 || record.offset < 50;
    let before: Vec<Record> = records.iter().filter(healthy).cloned().collect();
    assert_stored(&place, &sensors(&before, USUAL));
    let summary = output.summary();
    assert_eq!((count(&summary, "malformed"), count(&summary, "stalled")), (1, (records.len() - before.len()) as u64));
    // Mended, it goes on from there.
    records[broken].edit(|body| body["position"] = serde_json::json!([1, 2]));
    place.replay().arg(place.input("mended", &records)).summary();
    assert_stored(&place, &sensors(&records, USUAL));
}

#[test]
fn lines_tell_what_goes_too() {
    let (place, records) = (Place::new(), movements(1_500, 12, USUAL_DISORDER));
    let (lines, expected) = (place.path("lines"), sensors(&records, USUAL));
    let run = place.replay_into(&format!("ndjson:{}", shown(&lines))).args(SMALL_BATCHES);
    run.args(["-w", "2"]).arg(place.input("in", &records)).summary();
    assert_table("sensor_travelers", &read_lines(&lines, "sensor_travelers"), &expected.travelers);
    assert_table("sensor_windows", &read_lines(&lines, "sensor_windows"), &expected.windows);
    let text = std::fs::read_to_string(lines.join("sensor_travelers.ndjson")).expect("a file");
    assert!(text.contains("\"deleted\":true"), "visits that merge go");
}

/// Only what was asked for runs, and is told of.
#[test]
fn pipelines_run_apart_or_together() {
    let place = Place::new();
    let mut scene = Scene::vehicles(5);
    scene.send(MOVEMENTS, 3, &movement(1, "t", "car", (0.0, 0.0), 0));
    scene.send(MOVEMENTS, 3, &movement(1, "t", "car", (30.0, 40.0), 10_000));
    scene.send("axion.sense.citylens.frame.lifecycle", 0, &frame("f", "nobody", 0));
    let folder = place.input("in", &scene.records);
    let names =
        |summary: &Value| summary["pipelines"].as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    let run = |store: &Path, pipelines: &str| {
        let store = format!("sqlite:{}", store.display());
        place.replay_into(&store).args(["--pipelines", pipelines]).arg(&folder).end()
    };
    let alone = run(&place.path("alone.db"), "sensors").expect(0).summary();
    assert_eq!((names(&alone), alone["records"].as_u64()), (vec!["sensors".to_owned()], Some(2)));
    assert_eq!(count_rows(&place.path("alone.db"), "tracks"), 0);
    let all = run(&place.database(), "citylens,sensors").expect(3).summary();
    assert_eq!(names(&all), ["citylens", "sensors"]);
    assert_eq!((all["records"].as_u64(), all["stalled"].as_u64(), count(&all, "stalled")), (Some(18), Some(1), 0));
    assert_stored(&place, &sensors(&scene.records, USUAL));
    run(&place.database(), "sensor").expect(2);
}

#[test]
fn what_cannot_be_is_refused() {
    for (set, word) in [
        ("sensors.window=0s", "sensors.window"),
        ("sensors.slide=0s", "sensors.slide"),
        ("sensors.visit_gap=0s", "sensors.visit_gap"),
        ("sensors.lateness=-1s", "sensors.lateness"),
        ("cameras.window=0s", "cameras.window"),
    ] {
        let place = Place::new();
        let folder = place.input("in", &Scene::vehicles(1).records);
        place.replay().args(["--set", set]).arg(folder).end().expect(2).says(&[word]);
    }
}
