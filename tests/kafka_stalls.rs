//! Catches a stall that stops more than its partition, is committed over, or does not end by itself.

use std::thread::sleep;
use std::time::Duration;

use crate::oracle::Oracle;
use crate::support::judge::{assert_counted, assert_stored};
use crate::support::kafka::{Topics, renumbered};
use crate::support::place::Place;
use crate::support::record::{FRAMES, Record, TRACKS};
use crate::support::run::{Running, wait_until};
use crate::support::scene::{Scene, frame, track};
use crate::support::store::count_rows;
use crate::support::{broken, sample};

/// Stops a run that stands where the oracle says, and looks at what it stored and committed.
fn stop_and_compare(place: &Place, topics: &Topics, run: Running, records: &[Record]) {
    let (oracle, counts) = Oracle::of(records);
    topics.wait_for_lag(i64::try_from(counts.stalled).expect("a number of records"));
    // Nothing more may be committed, however long it stands.
    sleep(Duration::from_millis(500));
    let offsets = topics.offsets();
    for (topic, partition, offset) in &counts.stalls {
        let (committed, _) = offsets[&(topic.clone(), i32::try_from(*partition).expect("small"))];
        assert_eq!(committed, i64::try_from(*offset).expect("small"), "{topic} {partition}");
    }
    run.terminate();
    let output = run.end().expect(0);
    assert_stored(place, &oracle);
    let stalls = output.summary()["stalls"].as_array().map(Vec::len);
    assert_eq!(stalls, Some(counts.stalls.len()), "{output:?}");
    for (topic, partition, offset) in &counts.stalls {
        output_names(&output.stderr, &[topic, &partition.to_string(), &offset.to_string()]);
    }
}

fn output_names(said: &str, texts: &[&str]) {
    let line = said.lines().find(|line| texts.iter().all(|text| line.contains(text)));
    assert!(line.is_some(), "no line for {texts:?} in\n{said}");
}

/// Every way to break a record, each in a partition of its own.
#[test]
fn a_malformed_event_stalls_its_partition_and_caps_its_commits() {
    let (scene, _) = broken::all();
    let (place, topics) = (Place::new(), Topics::new());
    topics.produce(&scene.records);
    let run = topics.run(&place).args(["-w", "2", "--set", "kafka.citylens.batch_size=5"]).start();
    stop_and_compare(&place, &topics, run, &scene.records);
}

#[test]
fn bytes_that_are_no_text_stall_their_partition() {
    let mut scene = Scene::vehicles(48);
    let broken = scene.records.iter().position(|record| record.topic == FRAMES && record.offset == 1).expect("a frame");
    let place = Place::new();
    let topics = Topics::new();
    topics.produce(&scene.records[..broken]);
    topics.produce_bytes(&scene.records[broken], b"{\"frameId\": \"\xff\xfe\"}");
    topics.produce(&scene.records[broken + 1..]);
    scene.records[broken].payload = Some("no JSON".to_owned());
    let run = topics.run(&place).start();
    stop_and_compare(&place, &topics, run, &scene.records);
}

/// A real day in which every frame and detection can be read before the first track is there.
#[test]
fn a_missing_mapping_holds_only_its_partitions_until_it_comes() {
    let records = renumbered(&sample::first_hours(4));
    let (tracks, others): (Vec<Record>, Vec<Record>) =
        records.iter().cloned().partition(|record| record.topic == TRACKS);
    let (oracle, _) = Oracle::of(&records);
    let (place, topics) = (Place::new(), Topics::new());
    topics.produce(&others);
    let mut run = topics.run(&place).args(["-w", "2", "--set", "kafka.citylens.batch_size=50"]).start();
    sleep(Duration::from_secs(3));
    assert!(!run.has_ended());
    assert_eq!(topics.offsets().values().map(|(committed, _)| committed).sum::<i64>(), 0, "none can go on");
    // Half of the tracks, then the others: the partitions go on bit by bit.
    for part in tracks.chunks(tracks.len() / 2 + 1) {
        topics.produce(part);
        sleep(Duration::from_secs(1));
    }
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0);
    assert_stored(&place, &oracle);
}

/// Counts are of what came first, however often partitions were set back.
#[test]
fn frames_ahead_of_their_tracks_are_counted_once() {
    let mut scene = Scene::default();
    scene.send(TRACKS, 4, &track("t-early", 0));
    for n in 0..900 {
        let owner = if n % 300 == 150 { "t-late" } else { "t-early" };
        scene.send(FRAMES, 4, &frame(&format!("f-{n}"), owner, n));
    }
    let (place, topics) = (Place::new(), Topics::new());
    topics.produce(&scene.records);
    let run = topics.run(&place).args(["-w", "2", "--set", "kafka.citylens.batch_size=20"]).start();
    topics.wait_for_lag(750);
    sleep(Duration::from_millis(1_500)); // long enough to be told of
    let late = [scene.send(TRACKS, 9, &track("t-late", 5)).clone()];
    topics.produce(&late);
    topics.wait_for_lag(0);
    run.terminate();
    let output = run.end().expect(0);
    let (oracle, counts) = Oracle::of(&scene.records);
    assert_stored(&place, &oracle);
    assert_counted(&output.summary(), &counts);
    output_names(&output.stderr, &[FRAMES, "stands still", "offset=150", "t-late"]);
    output_names(&output.stderr, &[FRAMES, "goes on", "offset=150"]);
}

/// The row is put into the table by another program: no track event says anything.
#[test]
fn a_mapping_that_another_program_puts_in_is_found() {
    let mut scene = Scene::vehicles(24);
    scene.send(FRAMES, 0, &frame("f-untracked", "t-untracked", 5));
    scene.send(FRAMES, 0, &frame("f-behind", "t-vehicle-0", 6));
    let axion = "0a0a0a0a-0000-4000-8000-000000000001";
    let (place, topics) = (Place::new(), Topics::new());
    topics.produce(&scene.records);
    let run = topics.run(&place).args(["--set", "retry_interval=200ms"]).start();
    topics.wait_for_lag(2);
    assert_eq!(count_rows(&place.database(), "frames"), 24);
    place.store().put_mapping("t-untracked", axion);
    wait_until("both frames are there", || count_rows(&place.database(), "frames") == 26);
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0);
    let mut oracle = Oracle::default();
    oracle.put_mapping("t-untracked", axion);
    oracle.replay(&scene.records);
    assert_stored(&place, &oracle);
}
