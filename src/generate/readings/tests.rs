//! Dumps of readings as a whole: what is read back from them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use hexflow_dataflows::messages::camera::CameraDetection;
use hexflow_dataflows::messages::movement::Movement;
use hexflow_dataflows::messages::topic::{Topic, partition_of};
use hexflow_dataflows::parse_readings;
use hexflow_dataflows::record::{self, Payload};
use hexflow_operators::Batch;

use crate::generate::envelope::Cause;
use crate::generate::tests::{Record, args_in, parse, records};
use crate::generate::{Summary, generate};

const SENSORS: [&str; 2] = ["--pipeline=sensors", "--readings=20000"];
const CAMERAS: [&str; 2] = ["--pipeline=cameras", "--detections=20000"];
const DELAYS: [&str; 4] = ["--late=0.05", "--duplicates=0.1", "--disorder=2s", "--lateness=2h"];
const START_MS: i64 = 1_767_225_600_000;

/// The dump that options make, and the set of locations.
fn dump(options: &[&str]) -> (String, String, Summary) {
    let dir = tempfile::tempdir().unwrap();
    let summary = generate(&args_in(dir.path(), options)).unwrap();
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap_or_default();
    (read("movements.ndjson") + &read("camera-detections.ndjson"), read("locations.csv"), summary)
}

fn made(options: &[&str]) -> Vec<Record> {
    records(&dump(options).0)
}

fn of(record: &Record) -> record::Record<'_> {
    let payload = record.payload.as_deref().map(Payload::Text);
    let partition = u32::try_from(record.partition).unwrap();
    let (topic, headers, key) = (Topic::Movements, &[][..], Some(record.key.as_str()));
    record::Record { topic, partition, offset: record.offset, ts: record.ts, headers, key, payload, original: None }
}

fn movement(record: &Record) -> Movement<'_> {
    serde_json::from_str(record.payload.as_deref().unwrap()).unwrap()
}

fn detection(record: &Record) -> CameraDetection<'_> {
    serde_json::from_str(record.payload.as_deref().unwrap()).unwrap()
}

#[test]
fn a_seed_gives_the_same_bytes_and_another_seed_others() {
    for pipeline in [SENSORS, CAMERAS] {
        let options = [&pipeline[..], &DELAYS].concat();
        let (lines, locations, summary) = dump(&options);
        assert!(dump(&options) == (lines.clone(), locations, summary));
        assert!(dump(&[&options[..], &["--seed=2"]].concat()).0 != lines);
    }
}

/// The bytes are part of what a seed promises: whoever changes them on purpose changes these sums.
#[test]
fn a_seed_gives_these_bytes_on_every_machine() {
    let sum = |pipeline: &[&str]| crc32fast::hash(dump(&[pipeline, &DELAYS].concat()).0.as_bytes());
    assert_eq!([sum(&SENSORS), sum(&CAMERAS)], CHECKSUMS);
    assert_eq!(crc32fast::hash(dump(&CAMERAS).1.as_bytes()), LOCATIONS_CHECKSUM);
}

const CHECKSUMS: [u32; 2] = [3_958_466_093, 1_686_946_111];
const LOCATIONS_CHECKSUM: u32 = 3_490_581_250;

#[test]
fn every_message_can_be_parsed_and_lies_where_its_key_says() {
    for (pipeline, message_type) in [(SENSORS, "movement"), (CAMERAS, "camera-detection")] {
        let (mut next, mut last_ms) = ([0; 12], 0);
        let (mut movements, mut detections) = (Batch::default(), Batch::default());
        for record in &made(&[&pipeline[..], &DELAYS].concat()) {
            let place = match message_type {
                "movement" => {
                    parse_readings::movement(&of(record), &mut movements).unwrap();
                    movement(record).sensor_id
                }
                _ => {
                    parse_readings::camera_detection(&of(record), &mut detections).unwrap();
                    detection(record).geographical_location_oid
                }
            };
            assert_eq!(record.key, place.to_string());
            assert_eq!(record.partition, u64::from(partition_of(&record.key, 12)));
            assert_eq!(record.offset, next[record.partition as usize]);
            next[record.partition as usize] += 1;
            assert!(record.ts >= last_ms);
            last_ms = record.ts;
            assert_eq!((&*record.headers["message-type"], &*record.headers["env"]), (message_type, "prod"));
            assert!(record.headers["org-id"].starts_with("org-") && record.headers["request-id"].len() == 16);
        }
        assert!(next.iter().all(|&offset| offset > 0), "every partition has records: {next:?}");
    }
}

/// Late, out of order and repeated, the same readings arrive.
#[test]
fn what_happens_on_the_way_changes_no_reading() {
    for pipeline in [SENSORS, CAMERAS] {
        let texts = |records: &[Record]| -> Vec<(String, String)> {
            let text = |record: &Record| (record.headers["request-id"].clone(), record.payload.clone().unwrap());
            let mut texts: Vec<_> = records.iter().map(text).collect();
            texts.sort_unstable();
            texts
        };
        let clean = texts(&made(&pipeline));
        let mut delayed = texts(&made(&[&pipeline[..], &DELAYS].concat()));
        assert_eq!((clean.len(), delayed.len() > 21_500), (20_000, true));
        delayed.dedup();
        assert!(clean == delayed);
    }
}

#[test]
fn shares_are_as_asked_for() {
    let at_ms = |record: &Record| detection(record).timestamp_detected;
    let (lines, _, summary) = dump(&[&CAMERAS[..], &DELAYS, &["--rate=5"]].concat());
    let fresh = summary.of_cause(Cause::Fresh) + summary.of_cause(Cause::Late);
    assert_eq!(fresh, 20_000);
    for (cause, share) in [(Cause::Late, 0.05), (Cause::Duplicate, 0.1)] {
        let found = summary.of_cause(cause) as f64 / fresh as f64;
        assert!((found - share).abs() < 0.01, "{cause:?}: {found} instead of {share}");
    }
    let mut first_ms: BTreeMap<String, i64> = BTreeMap::new();
    let mut delays_ms = Vec::new();
    for record in &records(&lines) {
        let arrived = first_ms.entry(record.headers["request-id"].clone()).or_insert(i64::MAX);
        match *arrived {
            i64::MAX => delays_ms.push(record.ts - at_ms(record)),
            ms => assert!((1_000..=60_000).contains(&(record.ts - ms)), "a duplicate comes later, within a minute"),
        }
        *arrived = record.ts.min(*arrived);
    }
    assert!(delays_ms.iter().all(|delay| (0..7_203_000).contains(delay)));
    let beyond = |ms: i64| delays_ms.iter().filter(|delay| **delay > ms).count() as f64 / 20_000.0;
    assert!((beyond(2_000) - 0.05).abs() < 0.01 && (beyond(1_000) - 0.525).abs() < 0.02, "{}", beyond(1_000));
    assert!((0.003..0.02).contains(&beyond(1_800_000)), "{} are later than half an hour", beyond(1_800_000));
}

#[test]
fn order_is_lost_within_the_disorder_only() {
    let in_order = |options: &[&str]| {
        let times: Vec<i64> = made(options).iter().map(|record| movement(record).timestamp.ms).collect();
        times.is_sorted()
    };
    assert!(in_order(&SENSORS));
    let (mut newest_ms, mut earlier) = (0, 0);
    for record in &made(&[&SENSORS[..], &["--disorder=500ms"]].concat()) {
        let at_ms = movement(record).timestamp.ms;
        assert!(newest_ms - at_ms <= 500, "{at_ms} after {newest_ms}");
        earlier += u32::from(at_ms < newest_ms);
        newest_ms = newest_ms.max(at_ms);
    }
    assert!(earlier > 5_000, "{earlier} of 20000 come after a later one");
}

#[test]
fn travelers_make_visits_rest_and_change_their_type() {
    let records = made(&["--pipeline=sensors", "--readings=60000", "--travelers=100"]);
    let mut travelers: BTreeMap<String, Vec<(i64, i64, String)>> = BTreeMap::new();
    for record in &records {
        let Movement { traveler_id, traveler_type, sensor_id, timestamp, .. } = movement(record);
        let seen = (timestamp.ms, sensor_id, traveler_type.0.into_owned());
        travelers.entry(traveler_id.0.into_owned()).or_default().push(seen);
    }
    let (mut pauses, mut rests, mut whole, mut at_once, mut changes, mut moves) = (0, 0, 0, 0, 0, 0);
    for (before, now) in travelers.values().flat_map(|seen| seen.windows(2)).map(|pair| (&pair[0], &pair[1])) {
        let silence_ms = now.0 - before.0;
        pauses += u32::from(silence_ms > 60_000 && now.1 == before.1);
        moves += u32::from(now.1 != before.1);
        rests += u32::from((18_000..=60_000).contains(&silence_ms));
        whole += u32::from(silence_ms == 60_000);
        at_once += u32::from(silence_ms == 0);
        changes += u32::from(now.2 != before.2);
        assert!(now.1 == before.1 || silence_ms > 60_000, "nobody is at two sensors at once");
    }
    assert!(travelers.len() > 120 && pauses > 20 && moves > 50, "{} {pauses} {moves}", travelers.len());
    assert!(rests > 20 && whole > 0 && changes > 30, "{rests} {whole} {changes}");
    assert!((300..1_500).contains(&at_once), "{at_once}");
    let seconds = (movement(&records[59_999]).timestamp.ms - START_MS) as f64 / 1e3;
    assert!((540.0..660.0).contains(&seconds), "60000 readings at 100 a second take {seconds} s");
}

#[test]
fn cameras_stand_at_locations_of_the_set_or_beyond() {
    let (lines, locations, summary) = dump(&[&CAMERAS[..], &["--locations=40", "--unknown=0.1"]].concat());
    let known: BTreeSet<i64> =
        locations.lines().skip(1).map(|line| line.split_once(',').unwrap().0.parse().unwrap()).collect();
    assert_eq!(locations.lines().next(), Some("geographical_location_oid,geographical_location"));
    assert_eq!((known.len(), summary.by_topic()), (40, vec![20_000]));
    let (mut places, mut oids, mut items) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::<String, u32>::new());
    let mut unknown = 0;
    for (number, record) in (0..).zip(&records(&lines)) {
        let seen = detection(record);
        assert_eq!(seen.timestamp_detected, START_MS + number);
        unknown += u32::from(!known.contains(&seen.geographical_location_oid));
        let place = *places.entry(seen.video_camera_oid).or_insert(seen.geographical_location_oid);
        assert_eq!(place, seen.geographical_location_oid, "a camera stands still");
        assert!(oids.insert(seen.detection_oid) && seen.detection_oid >= 0);
        *items.entry(seen.item_name.0.into_owned()).or_default() += 1;
    }
    assert!((1_700..2_300).contains(&unknown), "{unknown} of 20000");
    let mut counts: Vec<u32> = items.into_values().collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    assert!(counts[0] > 1_000 && counts[0] > counts[1] * 3 / 2 && counts.len() > 500, "{:?}", &counts[..5]);
}

#[test]
fn the_ends_of_every_range_can_be_made() {
    for (options, expected) in [
        (&["--pipeline=sensors", "--readings=0"][..], 0),
        (&["--pipeline=sensors", "--readings=1"], 1),
        (&["--pipeline=sensors", "--readings=500", "--travelers=1", "--sensors=1"], 500),
        (&["--pipeline=sensors", "--readings=500", "--rate=10000000"], 500),
        (&["--pipeline=sensors", "--readings=50", "--travelers=1", "--rate=0.001", "--visit-gap=2000s"], 50),
        (&["--pipeline=cameras", "--detections=0"], 0),
        (&["--pipeline=cameras", "--detections=9", "--locations=1", "--cameras=1", "--items=1", "--unknown=1"], 9),
        (&["--pipeline=cameras", "--detections=9", "--late=1", "--duplicates=1", "--lateness=1s"], 18),
    ] {
        assert_eq!(dump(options).2.by_topic(), [expected], "{options:?}");
    }
}

#[test]
fn options_of_another_pipeline_are_errors_that_name_both() {
    for (pipeline, option, owners) in [
        ("sensors", "--tracks=1", "citylens"),
        ("sensors", "--detections-per-frame=2", "citylens"),
        ("sensors", "--detections=5", "citylens and cameras"),
        ("sensors", "--items=5", "cameras"),
        ("cameras", "--visit-gap=1s", "sensors"),
        ("cameras", "--stale=0.1", "citylens"),
        ("citylens", "--late=0.1", "sensors and cameras"),
        ("citylens", "--readings=1", "sensors"),
        ("citylens", "--rate=101", "must lie within"),
        ("sensors", "--rate=1", "--visit-gap"),
    ] {
        let error = parse(&[&format!("--pipeline={pipeline}"), option], Path::new("d")).unwrap_err().to_string();
        let name = option.split('=').next().unwrap();
        assert!(error.contains(name) && error.contains(&format!("pipeline {pipeline}")), "{error}");
        assert!(error.contains(owners), "{error}");
    }
    for option in ["--late=2", "--lateness=0s", "--disorder=soon", "--travelers=0", "--pipeline=trains", "--rate=0"] {
        let name = option.split('=').next().unwrap();
        let error = parse(&["--pipeline=sensors", option], Path::new("d")).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn time_that_cannot_be_written_is_refused() {
    for options in [
        &["--pipeline=cameras", "--start=9998-12-31T23:00:00Z"][..],
        &["--pipeline=sensors", "--start=1969-01-01T00:00:00Z"],
    ] {
        let dir = tempfile::tempdir().unwrap();
        let error = generate(&args_in(dir.path(), options)).unwrap_err().to_string();
        assert!(error.contains("1970 to 9998"), "{error}");
    }
}

#[test]
fn the_set_of_locations_is_replaced_only_by_force() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("locations.csv"), "mine").unwrap();
    let error = generate(&args_in(dir.path(), &CAMERAS)).unwrap_err().to_string();
    assert!(error.contains("locations.csv exists") && error.contains("--force"), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing half done is left");
    generate(&args_in(dir.path(), &[&CAMERAS[..], &["--force"]].concat())).unwrap();
    assert!(fs::read_to_string(dir.path().join("locations.csv")).unwrap().starts_with("geographical_location_oid,"));
}
