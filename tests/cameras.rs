//! Catches detections counted twice, at the wrong place or under the wrong name; and counts that a stop has bent.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::oracle::cameras::{Cameras, cameras};
use crate::sensors::kill_at;
use crate::support::cluster;
use crate::support::place::{Place, shown};
use crate::support::readings::{Disorder, detections, seen};
use crate::support::record::{CAMERAS, Record};
use crate::support::run::Run;
use crate::support::scene::Scene;
use crate::support::windows::{assert_table, everything, read_lines, stored};

const SMALL_BATCHES: &[&str] = &["--set", "kafka.citylens.batch_size=37"];

/// The usual window, ms.
const WINDOW_MS: i64 = 10_000;

/// Two minutes out of order.
const DISORDER: Disorder = Disorder(120_000);

/// Some of the locations that detections have; one of them has an odd name.
fn names() -> BTreeMap<i64, &'static str> {
    BTreeMap::from([(-1, "gate, \"north\""), (1, "bridge"), (2, "7 to 8 N -123 to -122 E")])
}

/// A run told of locations.
fn located(place: &Place, names: &BTreeMap<i64, &str>) -> Run {
    let rows = names.iter().map(|(oid, name)| format!("{oid},\"{}\"\r\n", name.replace('"', "\"\"")));
    let text = format!("geographical_location_oid,geographical_location\r\n{}", rows.collect::<String>());
    let path = place.path("locations.csv");
    fs::write(&path, text).expect("a file");
    place.replay().args(["--set".to_owned(), format!("cameras.locations={}", shown(&path))])
}

#[track_caller]
fn assert_stored(place: &Place, expected: &Cameras) {
    let tables = stored(place);
    assert_table("camera_detections", &tables["camera_detections"], &expected.detections);
    assert_table("camera_windows", &tables["camera_windows"], &expected.windows);
}

fn count(summary: &Value, name: &str) -> u64 {
    summary["pipelines"]["cameras"][name].as_u64().unwrap_or_else(|| panic!("no {name} in {summary}"))
}

#[test]
fn detections_at_any_size() {
    let records = detections(4_000, 1, DISORDER);
    for (args, window) in [(&["-w", "1"][..], WINDOW_MS), (&["-w", "2", "--zerocopy"], 7_001), (&["-w", "3"], 5_000)] {
        let (place, expected) = (Place::new(), cameras(&records, window, &names()));
        assert!(expected.repeats > 500, "{}", expected.repeats);
        let window = format!("cameras.window={window}ms");
        let run = located(&place, &names()).args(args).args(SMALL_BATCHES).args(["--set", &window]);
        let summary = run.arg(place.input("in", &records)).summary();
        assert_stored(&place, &expected);
        assert_eq!((count(&summary, "records"), count(&summary, "stalled"), count(&summary, "late")), (4_000, 0, 0));
        assert_eq!(count(&summary, "upserts") + count(&summary, "duplicates"), 4_000);
    }
}

#[test]
fn detections_on_two_processes_of_two_workers() {
    let records = detections(2_000, 2, DISORDER);
    let place = Place::new();
    let folder = place.input("in", &records);
    let run = || located(&place, &names()).args(["-w", "2"]).args(SMALL_BATCHES).arg(&folder);
    let [first, second] = cluster::end(cluster::start(run));
    second.expect(0);
    assert_eq!(count(&first.expect(0).summary(), "records"), 2_000);
    assert_stored(&place, &cameras(&records, WINDOW_MS, &names()));
}

#[test]
fn detections_killed_and_run_again() {
    let records = detections(12_000, 3, DISORDER);
    let (place, expected) = (Place::new(), cameras(&records, WINDOW_MS, &names()));
    let folder = place.input("in", &records);
    let run = |workers: &str| located(&place, &names()).args(SMALL_BATCHES).args(["-w", workers]).arg(&folder);
    let rows = i64::try_from(expected.detections.len()).expect("small");
    let killed = [(1, "1"), (rows / 8, "2"), (rows / 3, "3"), (rows * 2 / 3, "1")]
        .map(|(at, workers)| kill_at(&place, "camera_detections", at, run(workers)));
    assert!(killed.iter().filter(|under_way| **under_way).count() >= 2, "most were under way: {killed:?}");
    run("2").summary();
    assert_stored(&place, &expected);
}

#[test]
fn half_of_a_day_and_then_the_other() {
    let records = detections(4_000, 4, DISORDER);
    let place = Place::new();
    for ((name, workers), part) in
        [("first", "2"), ("second", "1"), ("third", "3")].into_iter().zip(records.chunks(1_400))
    {
        located(&place, &names()).args(["-w", workers]).arg(place.input(name, part)).summary();
    }
    assert_stored(&place, &cameras(&records, WINDOW_MS, &names()));
}

/// The later part first: what turns out to have arrived before takes the place of what stood.
#[test]
fn an_older_dump_after_a_newer_one() {
    let records = detections(3_000, 5, DISORDER);
    let place = Place::new();
    let (older, newer) = records.split_at(1_500);
    for (name, part) in [("newer", newer), ("older", older)] {
        located(&place, &names()).args(["-w", "2"]).arg(place.input(name, part)).summary();
    }
    assert_stored(&place, &cameras(&records, WINDOW_MS, &names()));
}

#[test]
fn the_same_again_changes_nothing() {
    let (place, records) = (Place::new(), detections(2_000, 6, DISORDER));
    let folder = place.input("in", &records);
    located(&place, &names()).arg(&folder).summary();
    let before = everything(&place);
    for workers in ["1", "3"] {
        let summary = located(&place, &names()).args(["-w", workers]).arg(&folder).summary();
        assert_eq!((count(&summary, "upserts"), count(&summary, "duplicates")), (0, 2_000), "{summary}");
        assert_eq!(before, everything(&place));
    }
}

/// A location may be unknown, appear, be corrected; without the file rows keep the names that they have.
#[test]
fn locations_that_come_later_name_what_is_stored() {
    let (place, records) = (Place::new(), detections(1_000, 7, DISORDER));
    let folder = place.input("in", &records);
    place.replay().arg(&folder).summary();
    assert_stored(&place, &cameras(&records, WINDOW_MS, &BTreeMap::new()));
    for names in [names(), BTreeMap::from([(1, "new bridge"), (3, "square")])] {
        located(&place, &names).args(["-w", "2"]).arg(&folder).summary();
        assert_stored(&place, &cameras(&records, WINDOW_MS, &names));
        place.replay().arg(&folder).summary();
        assert_stored(&place, &cameras(&records, WINDOW_MS, &names));
    }
}

#[test]
fn a_broken_file_of_locations_is_named_by_line() {
    let place = Place::new();
    let folder = place.input("in", &detections(10, 8, DISORDER));
    let path = place.path("locations.csv");
    let set = format!("cameras.locations={}", shown(&path));
    place.replay().args(["--set", &set]).arg(&folder).end().expect(2).says(&["locations.csv", "cameras.locations"]);
    for (text, at) in [
        ("geographical_location_oid,geographical_location\n1,a\nx,b\n", "locations.csv:3: "),
        ("oid,name\n", "locations.csv:1: "),
        ("geographical_location_oid,geographical_location\n1,\"a\n", "locations.csv:2: "),
    ] {
        fs::write(&path, text).expect("a file");
        place.replay().args(["--set", &set]).arg(&folder).end().expect(2).says(&[at]);
    }
}

#[test]
fn a_malformed_detection_stalls_its_partition_alone() {
    let mut scene = Scene::default();
    for n in 0..100u32 {
        scene.send(CAMERAS, n % 12, &seen(1, 2, i64::from(n), "car", i64::from(n) * 1_000));
    }
    let mut records = scene.records;
    let broken = records.iter().position(|record| record.partition == 4 && record.offset == 3).expect("a record");
    let whole = records[broken].clone();
    records[broken].edit(|body| body["detection_oid"] = serde_json::json!("seven"));
    let place = Place::new();
    let output = place.replay().args(["-w", "2"]).arg(place.input("in", &records)).end();
    let output = output.expect(3).says(&["camera-detections", "detection_oid"]);
    let before: Vec<Record> =
        records.iter().filter(|record| record.partition != 4 || record.offset < 3).cloned().collect();
    assert_stored(&place, &cameras(&before, WINDOW_MS, &BTreeMap::new()));
    let summary = output.summary();
    assert_eq!((count(&summary, "malformed"), count(&summary, "stalled")), (1, (records.len() - before.len()) as u64));
    // Set aside, its partition goes on.
    let emit = ["--set", "on_malformed=dead_letter", "--emit", &shown(&place.path("out"))];
    let summary = place.replay().args(emit).arg(place.path("in")).summary();
    assert_eq!(summary["pipelines"]["cameras"]["dead_letters"], 1, "{summary}");
    assert!(fs::read_to_string(place.path("out/camera-detections.dlq.ndjson")).expect("a dump").contains("seven"));
    records[broken] = whole;
    place.replay().arg(place.input("mended", &records)).summary();
    assert_stored(&place, &cameras(&records, WINDOW_MS, &BTreeMap::new()));
}

#[test]
fn lines_have_the_last_of_each_row() {
    let (place, records) = (Place::new(), detections(1_500, 9, DISORDER));
    let (lines, expected) = (place.path("lines"), cameras(&records, WINDOW_MS, &BTreeMap::new()));
    let run = place.replay_into(&format!("ndjson:{}", shown(&lines))).args(SMALL_BATCHES);
    run.args(["-w", "2"]).arg(place.input("in", &records)).summary();
    assert_table("camera_detections", &read_lines(&lines, "camera_detections"), &expected.detections);
    assert_table("camera_windows", &read_lines(&lines, "camera_windows"), &expected.windows);
}
