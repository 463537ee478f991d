//! Catches a skip that takes more than its record with it, is forgotten, or is taken where nothing stands.

use std::time::{Duration, Instant};

use crate::oracle::Oracle;
use crate::stalls::Control;
use crate::support::kafka::Topics;
use crate::support::place::Place;
use crate::support::record::{DETECTIONS, FRAMES, Record};
use crate::support::run::{Run, wait_until};
use crate::support::scene::{Scene, detection, frame};

/// Two records that cannot go on, for different reasons, with others behind them in their partitions: one more that cannot,
/// and two that can.
fn scene() -> Scene {
    let mut scene = Scene::vehicles(24);
    scene.send(FRAMES, 3, &frame("f-orphan", "t-nobody", 5));
    scene.send(FRAMES, 3, &frame("f-behind-orphan", "t-vehicle-3", 6));
    scene.send(FRAMES, 3, &frame("f-other-orphan", "t-nobody-either", 7));
    scene.send(DETECTIONS, 5, &detection("d-broken", "f-vehicle-5", "t-vehicle-5", 6)).payload = Some("{".to_owned());
    scene.send(DETECTIONS, 5, &detection("d-behind-broken", "f-vehicle-5", "t-vehicle-5", 7));
    scene
}

/// All of them but some.
fn without(records: &[Record], skipped: &[(&str, u32, u64)]) -> Oracle {
    let is_skipped = |record: &&Record| skipped.contains(&(record.topic.as_str(), record.partition, record.offset));
    let kept: Vec<Record> = records.iter().filter(|record| !is_skipped(record)).cloned().collect();
    Oracle::of(&kept).0
}

fn skip(control: &Control, place: &Place, topics: &Topics, (topic, partition, offset): (&str, u32, u64)) -> Run {
    let (partition, offset) = (partition.to_string(), offset.to_string());
    control.stalls(place, topics, &["skip", topic, &partition, &offset, "--reason", "a test's"])
}

#[test]
fn exactly_that_record_is_skipped_and_stays_so() {
    for (control, workers) in Control::both().into_iter().zip(["3", "1"]) {
        let records = scene().records;
        let (place, topics) = (Place::new(), Topics::new());
        topics.produce(&records);
        let start = || control.configure(topics.run(&place)).args(["-w", workers]).start();
        let (orphan, broken, other) = ((FRAMES, 3, 1), (DETECTIONS, 5, 1), (FRAMES, 3, 3));
        let run = start();
        topics.wait_for_lag(5);
        wait_until("both are listed", || control.listed(&place, &topics).len() == 2);

        // Each by one of its names; a second later its partition has gone on.
        skip(&control, &place, &topics, orphan).end().expect(0);
        skip(&control, &place, &topics, (&topics.name(DETECTIONS), 5, 1)).end().expect(0);
        let said = Instant::now();
        wait_until("they have gone on", || topics.lag() == 1);
        assert!(said.elapsed() < Duration::from_secs(2), "after {:?}", said.elapsed());
        wait_until("the next one is listed", || control.listed(&place, &topics) == [(FRAMES.to_owned(), 3, 3)]);
        run.terminate();
        let summary = run.end().expect(0).summary();
        assert_eq!((&summary["skipped"], &summary["stalled"]), (&2.into(), &1.into()), "{summary}");
        control.assert_stored(&place, &without(&records, &[orphan, broken]));

        // From the beginning: what was skipped once is skipped again, and the others are not.
        let run = control.configure(topics.run(&place)).args(["-w", workers, "--from", "earliest"]).start();
        wait_until("it has come as far", || topics.lag() == 1);
        std::thread::sleep(Duration::from_secs(2));
        assert_eq!(topics.lag(), 1);
        run.terminate();
        assert_eq!(run.end().expect(0).summary()["skipped"], 2);
        control.assert_stored(&place, &without(&records, &[orphan, broken]));

        // Said while nobody reads.
        skip(&control, &place, &topics, other).end().expect(0);
        let run = start();
        topics.wait_for_lag(0);
        run.terminate();
        run.end().expect(0);
        control.assert_stored(&place, &without(&records, &[orphan, broken, other]));
        control.stalls(&place, &topics, &[]).end().expect(0);
    }
}

#[test]
fn who_when_and_why_are_kept() {
    for control in Control::both() {
        let (place, topics) = (Place::new(), Topics::new());
        place.replay_records("first", &Scene::vehicles(1).records);
        let force = |args: &[&str]| skip(&control, &place, &topics, (FRAMES, 3, 7)).arg("--force").args(args);
        force(&["--by", "somebody"]).end().expect(0);
        let row = match &control {
            Control::Embedded => {
                let select =
                    "SELECT topic, partition, \"offset\", reason, \"by\" FROM skipped_offsets WHERE at > 1700000000000";
                let row = |row: &rusqlite::Row<'_>| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get::<_, String>(4)?))
                };
                place.store().connection.query_row(select, [], row).expect("a row")
            }
            Control::Postgres(database) => {
                let select = "SELECT topic, partition, \"offset\", reason, by FROM skipped_offsets WHERE at <= now()";
                let row = database.client().query_one(select, &[]).expect("a row");
                (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4))
            }
        };
        let expected: (String, i32, i64, String, String) =
            (topics.name(FRAMES), 3, 7, "a test's".to_owned(), "somebody".to_owned());
        assert_eq!(row, expected);
        assert!(force(&[]).end().expect(0).stdout.contains("already"));
    }
}

#[test]
fn a_skip_where_nothing_stands_is_refused() {
    for control in Control::both() {
        let (place, topics) = (Place::new(), Topics::new());
        place.replay_records("first", &Scene::vehicles(1).records);
        let refused = |place_of: (&str, u32, u64), says: &str| {
            skip(&control, &place, &topics, place_of).end().expect(2).says(&[says]);
        };
        refused((FRAMES, 3, 7), "does not stand still");
        refused(("nowhere", 3, 7), "none of the topics");
        refused((FRAMES, 3, u64::MAX), "OFFSET");
        control.stalls(&place, &topics, &["skip", FRAMES, "3", "7"]).end().expect(2).says(&["--reason"]);
    }
    Run::new("stalls").args(["--store", "null"]).end().expect(2).says(&["there is no control store"]);
    Run::new("stalls").args(["--store", "sqlite:/nowhere/at.all"]).end().expect(2).says(&["there is no store"]);
}

/// A replay ends where a partition stands; told to skip that record, the next one goes on.
#[test]
fn a_replay_skips_too() {
    for workers in ["1", "2"] {
        let records = scene().records;
        let place = Place::new();
        let folder = place.input("in", &records);
        let replay = || place.replay().args(["-w", workers]).arg(&folder).end();
        let stalls = |args: &[&str]| {
            let store = format!("sqlite:{}", place.database().display());
            Run::new("stalls").args(args).args(["--store", &store]).end()
        };
        replay().expect(3);
        assert_eq!(stalls(&[]).expect(3).stdout.lines().count(), 3);
        stalls(&["skip", FRAMES, "3", "1", "--reason", "x"]).expect(0);
        stalls(&["skip", DETECTIONS, "5", "1", "--reason", "x"]).expect(0);
        assert_eq!(replay().expect(3).summary()["skipped"], 2);
        stalls(&["skip", FRAMES, "3", "3", "--reason", "x"]).expect(0);
        assert_eq!(replay().expect(0).summary()["skipped"], 3);
        stalls(&[]).expect(0);
        let oracle = without(&records, &[(FRAMES, 3, 1), (FRAMES, 3, 3), (DETECTIONS, 5, 1)]);
        crate::support::judge::assert_stored(&place, &oracle);
    }
}
