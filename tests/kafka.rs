//! Catches what comes out otherwise when the records come from Kafka: tables, offsets, the ways to begin.

use std::thread::sleep;
use std::time::Duration;

use crate::oracle::Oracle;
use crate::support::judge::{assert_counted, assert_same, assert_stored};
use crate::support::kafka::{Topics, renumbered};
use crate::support::place::Place;
use crate::support::run::{Running, wait_until};
use crate::support::scene::Scene;
use crate::support::store::read_ndjson;
use crate::support::varied::varied;
use crate::support::{cluster, sample};

/// Waits until all is committed, stops it, and expects a good end.
fn settle(topics: &Topics, run: Running) -> serde_json::Value {
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0).summary()
}

#[test]
fn a_real_day_with_two_workers() {
    let (oracle, counts) = sample::expected();
    let (place, topics) = (Place::new(), Topics::new());
    topics.produce(sample::records());
    let summary = settle(&topics, topics.run(&place).args(["-w", "2"]).start());
    assert_eq!(summary["records"], counts.records);
    assert_stored(&place, oracle);
}

#[test]
fn a_real_day_with_two_processes() {
    let (oracle, _) = sample::expected();
    let (place, topics) = (Place::new(), Topics::new());
    topics.produce(sample::records());
    let [first, second] = cluster::start(|| topics.run(&place));
    topics.wait_for_lag(0);
    // One that is told to stop takes the other along.
    second.terminate();
    first.end().expect(0);
    second.end().expect(0);
    assert_eq!(topics.lag(), 0);
    assert_stored(&place, oracle);
}

/// Small epochs, several workers, and all that a valid stream may hold.
#[test]
fn a_varied_stream_that_comes_while_it_is_read() {
    let records = renumbered(&varied(2_000, 61));
    let (oracle, counts) = Oracle::of(&records);
    let (place, topics) = (Place::new(), Topics::new());
    let run = topics.run(&place).args(["-w", "3", "--set", "kafka.citylens.batch_size=7"]).start();
    for part in records.chunks(700) {
        topics.produce(part);
        sleep(Duration::from_millis(300));
    }
    let summary = settle(&topics, run);
    assert_stored(&place, &oracle);
    assert_counted(&summary, &counts);
}

/// A file of lines is added to, and one of its rows is the last of its key.
#[test]
fn lines_are_added_to_those_of_the_run_before() {
    let records = Scene::vehicles(300).records;
    let (oracle, _) = Oracle::of(&records);
    let (place, topics) = (Place::new(), Topics::new());
    let folder = place.path("tables");
    for part in records.chunks(450) {
        topics.produce(part);
        settle(&topics, topics.run_into(&place, &format!("ndjson:{}", folder.display())).start());
    }
    let reference = Place::new();
    reference.replay_records("in", &records);
    assert_same(&oracle.tables(&oracle.check_mapping(&reference.store().mapping())), &read_ndjson(&folder));
}

#[test]
fn begins_where_it_is_told() {
    let records = Scene::vehicles(96).records;
    let topics = Topics::new();
    topics.produce(&records);
    let place = Place::new(); // one for all, since who begins in the middle needs the mapping made before
    let records_from = |from: &[&str]| {
        let args = from.iter().flat_map(|from| ["--from", from]);
        let run = topics.run(&place).args(args).start();
        sleep(Duration::from_secs(2)); // to move the group, which lags no more
        settle(&topics, run)["records"].clone()
    };
    assert_eq!(records_from(&[]), 288, "a group that is new begins at the beginning");
    assert_eq!(records_from(&[]), 0, "and goes on where it has come to");
    assert_eq!(records_from(&["earliest"]), 288);
    assert_eq!(records_from(&["latest"]), 0);
    // Records come 10 ms apart.
    assert_eq!(records_from(&["@2022-01-03T00:00:02Z"]), 88);
    assert_eq!(records_from(&["@2023-01-01T00:00:00Z"]), 0);
    let one = format!("{}/3:1", crate::support::record::FRAMES);
    assert_eq!(records_from(&[&one]), 3);
    assert_eq!(records_from(&["earliest", &one]), 287);
}

#[test]
fn what_cannot_be_is_said() {
    let (place, topics) = (Place::new(), Topics::new());
    let refused = |args: &[&str], code: i32, says: &[&str]| {
        topics.run(&place).args(args).end().expect(code).says(says);
    };
    refused(&["--from", "yesterday"], 2, &["earliest"]);
    refused(&["--from", "nowhere/3:1"], 1, &["nowhere/3:1", "the topics are"]);
    refused(&["--set", "kafka.properties.no.such.thing=1"], 2, &["no.such.thing"]);
    refused(&["--set", "kafka.properties.group.id=x"], 2, &["kafka.group"]);
    refused(&["--set", "kafka.properties.security.protocol=pigeon"], 2, &["security.protocol"]);

    let living = topics.run_into(&place, "null").start();
    wait_until("it is a member, and offsets are not moved under it", || member_refused(&topics, &place));
    living.terminate();
    living.end().expect(0);
}

/// Whether moving the group's offsets is refused since it has a member.
fn member_refused(topics: &Topics, place: &Place) -> bool {
    let run = topics.run_into(place, "null").args(["--from", "earliest"]).start();
    sleep(Duration::from_millis(700));
    run.terminate();
    let output = run.end();
    output.code == Some(1) && output.stderr.contains("members")
}
