//! Catches a broken record that is dropped, that stops more than its own partition, or that nobody can find.

use serde_json::Value;

use crate::oracle::{Counts, Oracle};
use crate::support::broken::{self, SOUND};
use crate::support::cluster;
use crate::support::judge::{assert_counted, assert_stored};
use crate::support::place::Place;
use crate::support::record::{DETECTIONS, FRAMES, Record, TRACKS};
use crate::support::run::Output;
use crate::support::scene::{Scene, detection, frame, track};

/// Asserts that the summary tells of a record that its partition stands still at.
#[track_caller]
fn assert_told(output: &Output, record: &Record, reason_names: &str) {
    let summary = output.summary();
    let is_it = |stall: &&Value| {
        stall["topic"] == *record.topic && stall["partition"] == record.partition && stall["offset"] == record.offset
    };
    let stalls = summary["stalls"].as_array().expect("a list of stalls");
    let stall = stalls.iter().find(is_it).unwrap_or_else(|| panic!("no stall for {record:?}: {stalls:?}"));
    let reason = stall["reason"].as_str().expect("a reason");
    assert!(!reason.is_empty() && reason.contains(reason_names), "{reason_names:?} is not in {reason:?}: {record:?}");

    let texts = stall.as_object().expect("an object").values().filter_map(Value::as_str);
    let said: String = texts.chain([output.stderr.as_str()]).collect();
    let first_bytes: String = record.payload.iter().flat_map(|payload| payload.chars().take(16)).collect();
    assert!(said.contains(&first_bytes), "{first_bytes:?} is not in {said}");
    for text in [record.topic.clone(), record.partition.to_string(), record.offset.to_string()] {
        assert!(output.stderr.contains(&text), "{text:?} is not in {}", output.stderr);
    }
}

/// A scene of everything broken, with two orphans in it.
fn everything_broken() -> (Vec<Record>, Vec<broken::Broken>, [Record; 2]) {
    let (mut scene, broken) = broken::all();
    let home = broken::home(SOUND);
    scene.send(FRAMES, SOUND, &frame("f-before", &home, 5));
    let orphan_frame = scene.send(FRAMES, SOUND, &frame("f-orphan", "t-nowhere-1", 5)).clone();
    scene.send(FRAMES, SOUND, &frame("f-behind", &home, 5));
    let orphan_detection = scene.send(DETECTIONS, SOUND, &detection("d-orphan", "f", "t-nowhere-2", 5)).clone();
    scene.send(DETECTIONS, SOUND, &detection("d-behind", "f", &home, 5));
    (scene.records, broken, [orphan_frame, orphan_detection])
}

fn assert_all_told(output: &Output, broken: &[broken::Broken], orphans: &[Record; 2], counts: &Counts) {
    for broken in broken {
        assert_told(output, &broken.record, broken.names);
    }
    for orphan in orphans {
        assert_told(output, orphan, orphan.body()["trackId"].as_str().expect("a track"));
    }
    assert_counted(&output.summary(), counts);
}

#[test]
fn every_kind_stalls_its_partition_and_no_other() {
    let (records, broken, orphans) = everything_broken();
    assert!(broken.len() > 40);
    let (oracle, counts) = Oracle::of(&records);
    assert_eq!(counts.stalls.len(), broken.len() + orphans.len());
    for args in
        [["-w", "1", "--set", "kafka.citylens.batch_size=1"], ["-w", "3", "--set", "kafka.citylens.batch_size=37"]]
    {
        let place = Place::new();
        let output = place.replay().args(args).arg(place.input("in", &records)).end().expect(3);
        assert_all_told(&output, &broken, &orphans, &counts);
        assert_stored(&place, &oracle);
    }
}

#[test]
fn every_kind_on_two_processes() {
    let (records, broken, orphans) = everything_broken();
    let (oracle, counts) = Oracle::of(&records);
    let place = Place::new();
    let folder = place.input("in", &records);
    let [first, second] = cluster::end(cluster::start(|| place.replay().arg(&folder)));
    assert!(matches!(second.code, Some(0 | 3)), "{second:?}");
    assert_all_told(&first.expect(3), &broken, &orphans, &counts);
    assert_stored(&place, &oracle);
}

/// Without `--summary json` the same is a table for people.
#[test]
fn the_table_lists_every_stall() {
    let (records, broken, _) = everything_broken();
    let place = Place::new();
    let store = format!("sqlite:{}", place.database().display());
    let objects = format!("object_store.url=file://{}", place.objects().display());
    let run = crate::support::run::Run::new("replay").args(["--store", &store, "--set", &objects]);
    let output = run.arg(place.input("in", &records)).end().expect(3);
    let said = output.stdout + &output.stderr;
    for broken in &broken {
        let record = &broken.record;
        let place = [record.topic.clone(), record.partition.to_string(), record.offset.to_string()];
        let line = said.lines().find(|line| place.iter().all(|text| line.contains(text.as_str())));
        assert!(line.is_some(), "no line for {place:?} in\n{said}");
    }
}

/// Mended by their producer and replayed, the stalled partitions go on where they stood.
#[test]
fn mended_records_complete_the_work() {
    let mut scene = Scene::vehicles(48);
    let mended = scene.records.clone();
    for n in [30, 40, 50] {
        scene.records[n].payload = Some("{\"frameId\": ".to_owned());
    }
    let place = Place::new();
    let mut oracle = Oracle::default();
    let counts = oracle.replay(&scene.records);
    assert!(counts.stalled > 3, "{counts:?}");
    let output = place.replay().arg(place.input("broken", &scene.records)).end().expect(3);
    assert_counted(&output.summary(), &counts);
    assert_stored(&place, &oracle);
    assert_eq!(oracle.replay(&mended).stalled, 0);
    place.replay().arg(place.input("mended", &mended)).summary();
    assert_stored(&place, &oracle);
}

/// A track that is not applied makes no mapping, so that its frames stall too, each partition at its first.
#[test]
fn a_broken_track_orphans_its_frames() {
    let mut scene = Scene::default();
    for n in 0..10 {
        scene.send(TRACKS, 7, &track(&format!("t-{n}"), n));
    }
    scene.records[4].edit(|body| body["status"] = "lost".into());
    for n in 0..10u32 {
        scene.send(FRAMES, n, &frame(&format!("f-{n}"), &format!("t-{n}"), 1));
        scene.send(DETECTIONS, n % 5, &detection(&format!("d-{n}"), "f", &format!("t-{n}"), 1));
    }
    let (oracle, counts) = Oracle::of(&scene.records);
    assert_eq!(counts.stalls.len(), 1 + 6 + 5, "{counts:?}");
    for workers in ["1", "4"] {
        let place = Place::new();
        let output = place.replay().args(["-w", workers]).arg(place.input("in", &scene.records)).end().expect(3);
        assert_counted(&output.summary(), &counts);
        assert_stored(&place, &oracle);
    }
}
