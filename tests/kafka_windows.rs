//! Catches windows that a live run loses or counts twice when it is killed, and partitions that stand still for others.

use std::collections::BTreeMap;
use std::thread::sleep;

use crate::oracle::cameras::cameras;
use crate::oracle::sensors::{USUAL, sensors};
use crate::support::kafka::{Topics, renumbered};
use crate::support::place::Place;
use crate::support::readings::{Disorder, detections, movements};
use crate::support::record::Record;
use crate::support::run::{random_ms, wait_until};
use crate::support::store::count_rows;
use crate::support::windows::{assert_table, stored};

const SMALL_BATCHES: &[&str] = &["--set", "kafka.citylens.batch_size=40"];

/// Asserts that a place holds all that comes of `records`.
#[track_caller]
pub(crate) fn assert_stored(place: &Place, records: &[Record]) {
    let (sensors, cameras) = (sensors(records, USUAL), cameras(records, 10_000, &BTreeMap::new()));
    let tables = stored(place);
    assert_table("sensor_travelers", &tables["sensor_travelers"], &sensors.travelers);
    assert_table("sensor_windows", &tables["sensor_windows"], &sensors.windows);
    assert_table("camera_detections", &tables["camera_detections"], &cameras.detections);
    assert_table("camera_windows", &tables["camera_windows"], &cameras.windows);
}

/// Movements and detections, in turn.
pub(crate) fn both(count: u64, seed: u64) -> Vec<Record> {
    let mut records = [movements(count, seed, Disorder(30_000)), detections(count, seed, Disorder(120_000))].concat();
    records.sort_by_key(|record| record.offset);
    renumbered(&records)
}

#[test]
fn windows_of_runs_that_are_killed_again_and_again() {
    let (records, place, topics) = (both(4_000, 81), Place::new(), Topics::new());
    let mut parts = records.chunks(records.len() / 5 + 1);
    for workers in ["1", "2", "3", "1"] {
        topics.produce(parts.next().unwrap_or_default());
        let mut run = topics.run(&place).args(SMALL_BATCHES).args(["-w", workers]).start();
        let before = count_rows(&place.database(), "sensor_readings");
        let stores = || count_rows(&place.database(), "sensor_readings") > before;
        wait_until("it is at work", || run.has_ended() || stores());
        sleep(random_ms(300));
        assert_eq!(run.kill().code, None, "it was under way");
    }
    parts.for_each(|part| topics.produce(part));
    let run = topics.run(&place).args(["-w", "2"]).start();
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0);
    assert_stored(&place, &records);
}

#[test]
fn a_malformed_movement_stalls_its_partition_alone_and_is_skipped() {
    let (mut records, place, topics) = (both(1_000, 82), Place::new(), Topics::new());
    let is_it = |record: &Record| record.topic == "movements" && record.partition == 5 && record.offset == 20;
    let broken = records.iter().position(is_it).expect("a record");
    records[broken].edit(|body| drop(body.as_object_mut().expect("an object").remove("sensor_id")));
    topics.produce(&records);
    let run = topics.run(&place).args(["-w", "2"]).start();
    let behind = |record: &&Record| record.topic == "movements" && record.partition == 5 && record.offset >= 20;
    let stalled = records.iter().filter(behind).count();
    topics.wait_for_lag(i64::try_from(stalled).expect("small"));
    let store = format!("sqlite:{}", place.database().display());
    let name = topics.name("movements");
    let skip = ["skip", &name, "5", "20", "--reason", "a test", "--store", &store];
    topics.verb("stalls", &skip).end().expect(0);
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0);
    records.remove(broken);
    assert_stored(&place, &records);
}
