//! Catches raw messages that are lost, changed, or found by nobody in the archive, and a replay of it that makes other tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::thread::sleep;

use serde_json::Value;

use crate::kafka_windows::{assert_stored, both};
use crate::oracle::sensors::{Shape, USUAL, sensors};
use crate::support::archive::{Archive, small};
use crate::support::cluster;
use crate::support::kafka::{Topics, renumbered};
use crate::support::place::Place;
use crate::support::readings::{Disorder, movement, movements};
use crate::support::record::{CAMERAS, MOVEMENTS, Record};
use crate::support::run::{random_ms, wait_until};
use crate::support::s3::S3;
use crate::support::scene::Scene;
use crate::support::windows::stored;

fn url(archive: &Archive) -> String {
    format!("file://{}", archive.0.display())
}

fn records_of(summary: &Value) -> u64 {
    ["sensors", "cameras"].iter().filter_map(|name| summary["pipelines"][name]["records"].as_u64()).sum()
}

/// Archives records in a folder with a run that ends well.
fn archived(place: &Place, topics: &Topics, records: &[Record]) -> Archive {
    let archive = Archive(place.path("archive"));
    topics.produce(records);
    let run = archive.of(topics.run(place)).args(["--set", "archive.roll_bytes=40000"]).start();
    archive.wait_for(records.len());
    run.terminate();
    run.end().expect(0);
    archive
}

#[test]
fn nothing_is_lost_or_changed_however_often_runs_are_killed() {
    let (records, place, topics) = (both(3_000, 91), Place::new(), Topics::new());
    let archive = Archive(place.path("archive"));
    let mut parts = records.chunks(records.len() / 4 + 1);
    let mut before = archive.files();
    for workers in ["1", "2", "1"] {
        topics.produce(parts.next().unwrap_or_default());
        let mut run = archive.of(topics.run(&place)).args(["-w", workers]).start();
        wait_until("it archives", || run.has_ended() || archive.files().len() > before.len());
        sleep(random_ms(400));
        assert_eq!(run.kill().code, None, "it was under way");
        let now = archive.files();
        assert!(before.iter().all(|(name, bytes)| now.get(name) == Some(bytes)), "what is archived never changes");
        before = now;
    }
    parts.for_each(|part| topics.produce(part));
    let run = archive.of(topics.run(&place)).args(["-w", "2"]).start();
    archive.wait_for(records.len());
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0);
    let now = archive.files();
    assert!(before.iter().all(|(name, bytes)| now.get(name) == Some(bytes)), "what is archived never changes");
    archive.assert_holds(&records);
    assert_stored(&place, &records);

    let again = Place::new();
    let summary = again.replay().args(["-w", "2", &url(&archive)]).summary();
    assert_eq!(records_of(&summary), records.len() as u64);
    assert_stored(&again, &records);
}

/// Two processes read and write it, and the server is away for a while; then it is replayed as a whole and in parts.
#[test]
fn an_archive_in_a_bucket() {
    let (records, place, topics) = (both(3_000, 92), Place::new(), Topics::new());
    let mut s3 = S3::start(&place);
    let archive = Archive(s3.objects("raw"));
    let [first, second] =
        cluster::start(|| s3.reaches(small(topics.run(&place))).args(["--set", "archive.url=s3://bucket/raw"]));
    let (half, rest) = records.split_at(records.len() / 2);
    topics.produce(half);
    wait_until("it archives", || archive.count() > 0);
    s3.order("stop");
    topics.produce(rest);
    topics.wait_for_lag(0);
    s3.order("start");
    archive.wait_for(records.len());
    first.terminate();
    let [first, second] = cluster::end([first, second]);
    first.expect(0);
    second.expect(0);
    archive.assert_holds(&records);
    assert_stored(&place, &records);

    let fetched = Place::new();
    let [first, second] =
        cluster::end(cluster::start(|| s3.reaches(fetched.replay()).args(["-w", "2", "s3://bucket/raw/"])));
    second.expect(0);
    assert_eq!(records_of(&first.expect(0).summary()), records.len() as u64);
    assert_stored(&fetched, &records);
    let part = |args: &[&str]| records_of(&s3.reaches(Place::new().replay()).args(args).summary());
    let hour = |record: &&Record| record.ts / 3_600_000 == records[0].ts / 3_600_000;
    let of_first_hour = records.iter().filter(hour).count() as u64;
    assert!(of_first_hour > 100 && of_first_hour < records.len() as u64, "{of_first_hour}");
    let of_topic = |name: &str| records.iter().filter(|record| record.topic == name).count() as u64;
    let time = jiff::Timestamp::from_millisecond(records[0].ts).expect("a time");
    let next = jiff::Timestamp::from_millisecond(records[0].ts + 3_600_000).expect("a time");
    let [from, to] = [time, next].map(|time| time.strftime("%Y-%m-%dT%H").to_string());
    assert_eq!(part(&["s3://bucket/raw", "--from", &from, "--to", &to]), of_first_hour);
    assert_eq!(part(&["s3://bucket/raw", "--from", &to]), records.len() as u64 - of_first_hour);
    assert_eq!(part(&["s3://bucket/raw/topic=movements"]), of_topic(MOVEMENTS));
    assert_eq!(part(&["s3://bucket/raw", "--pipelines", "cameras"]), of_topic(CAMERAS));
}

#[test]
fn what_is_broken_is_named_and_nothing_is_stored() {
    let (records, place, topics) = (both(300, 93), Place::new(), Topics::new());
    let archive = archived(&place, &topics, &records);
    let replay = |args: &[&str]| {
        let fresh = Place::new();
        let output = fresh.replay().arg(url(&archive)).args(args).end();
        assert!(output.code == Some(0) || !fresh.database().exists(), "{output:?}");
        output
    };
    let object = archive.entries()[0].1["object"].as_str().expect("a name").to_owned();
    let (path, aside) = (archive.0.join(&object), place.path("aside"));
    fs::rename(&path, &aside).expect("one file system");
    replay(&[]).expect(1).says(&[&object, "is not there", "manifest/"]);
    let mut bytes = fs::read(&aside).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).expect("a file");
    replay(&[]).expect(1).says(&[&object, "checksum"]);
    fs::rename(&aside, &path).expect("one file system");
    fs::write(archive.0.join("manifest/notes.json"), "{}").expect("a file");
    replay(&[]).expect(1).says(&["manifest/notes.json"]);
    fs::remove_dir_all(archive.0.join("manifest")).expect("a folder");
    // Names of objects say all that is needed.
    assert_eq!(records_of(&replay(&[]).expect(0).summary()), records.len() as u64);
    replay(&["--from", "2001-01-01", "--to", "2001-01-02"]).expect(1).says(&["--from"]);
    replay(&["--from", "yesterday"]).expect(2);
    Place::new().replay().args(["--from", "2001-01-01", "/tmp"]).end().expect(2).says(&["archives"]);
    Place::new().replay().arg(format!("file://{}", place.path("none").display())).end().expect(1).says(&["no archive"]);
}

/// A dump holds text; what is none is not lost either.
#[test]
fn bytes_that_are_no_text_are_archived() {
    let (place, topics, mut scene) = (Place::new(), Topics::new(), Scene::default());
    let record = scene.send(MOVEMENTS, 2, &movement(1, "ann", "car", (1.0, 2.0), 5)).clone();
    topics.produce_bytes(&record, b"\xff\x00");
    let archive = Archive(place.path("archive"));
    let run = archive.of(topics.run(&place)).start();
    wait_until("it is archived", || archive.count() == 1);
    run.terminate();
    run.end().expect(0);
    let object = archive.entries()[0].1["object"].as_str().expect("a name").to_owned();
    let line = zstd::decode_all(&fs::read(archive.0.join(object)).expect("a file")[..]).expect("zstd");
    let line: Value = serde_json::from_slice(&line).expect("JSON");
    assert_eq!((&line["payload"], &line["payload_hex"]), (&Value::Null, &Value::from("ff00")));
    // It stalls its partition, as it does in the run.
    Place::new().replay().arg(url(&archive)).end().expect(3);
}

/// The places of the records that lists tell of, each with what it says there.
fn late_in(folder: &Path) -> BTreeMap<(u64, u64), Value> {
    let files = Archive(folder.to_owned()).files();
    let lists = files.into_iter().filter(|(name, _)| name.starts_with("late/topic=movements/"));
    let lines = lists.flat_map(|(_, bytes)| {
        let text = String::from_utf8(zstd::decode_all(&bytes[..]).expect("zstd")).expect("UTF-8");
        text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")).collect::<Vec<_>>()
    });
    let number = |line: &Value, name: &str| line[name].as_u64().expect("a number");
    lines.map(|line| ((number(&line, "partition"), number(&line, "offset")), line)).collect()
}

#[test]
fn what_is_too_late_is_told_and_listed() {
    let records = renumbered(&movements(2_000, 94, Disorder(9_000)));
    let expected = sensors(&records, Shape { lateness: 6_000, ..USUAL });
    assert!(expected.late > 50, "{}", expected.late);
    let (place, topics) = (Place::new(), Topics::new());
    let archive = Archive(place.path("archive"));
    topics.produce(&records);
    let run = archive.of(topics.run(&place)).args(["--set", "sensors.lateness=6s", "-w", "2"]).start();
    topics.wait_for_lag(0);
    // What is committed is listed.
    let listed = late_in(&archive.0);
    archive.wait_for(records.len());
    run.terminate();
    run.end().expect(0).says(&["too late", "partition=", "offset=", "behind_ms="]);
    assert_eq!(listed.len() as u64, expected.late);
    for ((partition, offset), line) in &listed {
        let is_it = |record: &&Record| u64::from(record.partition) == *partition && record.offset == *offset;
        let body = records.iter().find(is_it).expect("a record").body();
        assert_eq!(line["message"]["traveler_id"], body["traveler_id"]);
        assert_eq!(line["message"]["position"], body["position"], "{line}");
    }
    // Of each replay the lists are written anew.
    for again in [Place::new(), Place::new()] {
        let replay = again.replay().args(["--set", "sensors.lateness=6s", "--emit"]).arg(place.path("out"));
        replay.arg(url(&archive)).end().expect(0).says(&["too late"]);
        let places = |lines: &BTreeMap<(u64, u64), Value>| lines.keys().copied().collect::<BTreeSet<_>>();
        assert_eq!(places(&late_in(&place.path("out"))), places(&listed));
        assert_eq!(stored(&again), stored(&place));
    }
}
