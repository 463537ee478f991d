//! Catches what is sent on through Kafka wrongly, not at all, or a second time as something else.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::Duration;

use crate::oracle::Oracle;
use crate::support::consumed::{self, Consumed};
use crate::support::emitted::{assert_well_formed, line};
use crate::support::judge::assert_stored;
use crate::support::kafka::{Broker, Topics, renumbered, shared};
use crate::support::place::Place;
use crate::support::record::{AUDIT, CLUSTERIZATION, METADATA, Record};
use crate::support::run::wait_until;
use crate::support::scene::Scene;
use crate::support::varied::varied;
use crate::support::{cluster, sample};

const OUTGOING: [(&str, i32); 3] = [(METADATA, 12), (CLUSTERIZATION, 12), (AUDIT, 6)];
const SMALL_BATCHES: &[&str] = &["--set", "kafka.citylens.batch_size=40"];

/// What lies in the outgoing topics.
pub(crate) fn sent(topics: &Topics) -> Vec<Record> {
    let mut sent = Vec::new();
    for (topic, partitions) in OUTGOING {
        let consumed = consumed::read(topics, topic, partitions);
        let records: Vec<Record> = consumed.iter().map(|message| message.record(topic)).collect();
        assert_well_formed(&records, partitions.cast_unsigned());
        sent.extend(records);
    }
    sent
}

pub(crate) fn lines(records: &[Record]) -> Vec<String> {
    let mut lines: Vec<String> = records.iter().map(line).collect();
    lines.sort();
    lines
}

fn expected(place: &Place, oracle: &Oracle) -> Vec<String> {
    oracle.outgoing(&oracle.check_mapping(&place.store().mapping()))
}

/// Asserts that what is there is what was expected, and tells of the first difference only.
#[track_caller]
fn assert_lines(lines: &[String], expected: &[String]) {
    let different = expected.iter().zip(lines).find(|(expected, line)| expected != line);
    assert_eq!(different, None, "the first that differs of {} and {}", expected.len(), lines.len());
    assert_eq!(lines.len(), expected.len());
}

/// Runs until all is committed.
fn settle(topics: &Topics, place: &Place, args: &[&str]) {
    let run = topics.run(place).args(args).start();
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0);
}

/// Undisturbed, each message is there once.
#[test]
fn a_varied_stream_is_sent_on_as_the_oracle_says() {
    let records = renumbered(&varied(1_500, 81));
    let (oracle, _) = Oracle::of(&records);
    let (place, topics) = (Place::new(), Topics::new());
    topics.produce(&records);
    settle(&topics, &place, &["-w", "2", "--set", "kafka.citylens.batch_size=37"]);
    assert_lines(&lines(&sent(&topics)), &expected(&place, &oracle));
}

/// Of two processes each sends what it has; SQLite has them all flow to one, lines do not.
#[test]
fn real_hours_on_two_processes() {
    let records = renumbered(&sample::first_hours(3));
    let (oracle, _) = Oracle::of(&records);
    for store in ["sqlite", "ndjson"] {
        let (place, topics) = (Place::new(), Topics::new());
        let path = if store == "sqlite" { place.database() } else { place.path("tables") };
        topics.produce(&records);
        let [first, second] = cluster::start(|| topics.run_into(&place, &format!("{store}:{}", path.display())));
        topics.wait_for_lag(0);
        first.terminate();
        first.end().expect(0);
        second.end().expect(0);
        // Tracks are mapped alike by all.
        let reference = Place::new();
        reference.replay_records("in", &records);
        assert_lines(&lines(&sent(&topics)), &expected(&reference, &oracle));
    }
}

/// The bytes are those that a replay writes into dumps, headers and all.
#[test]
fn the_same_bytes_as_in_dumps() {
    let mut records = Scene::vehicles(48).records;
    for record in &mut records {
        record.set_header("traceparent", Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    }
    let (place, topics) = (Place::new(), Topics::new());
    topics.produce(&records);
    settle(&topics, &place, &[]);
    let dumped = Place::new();
    let emit = dumped.path("emit");
    dumped.replay().arg("--emit").arg(&emit).arg(dumped.input("in", &records)).summary();
    let bytes = |records: Vec<Record>| -> BTreeSet<_> {
        records.into_iter().map(|r| (r.topic, r.partition, r.ts, r.headers, r.key, r.payload)).collect()
    };
    let sent = bytes(sent(&topics));
    assert!(sent.iter().all(|message| message.3.iter().any(|(name, _)| name == "traceparent")));
    assert_eq!(sent.len(), 48 * 6, "each row and its audit");
    assert_eq!(sent, bytes(crate::support::emitted::read_all(&emit)));
}

/// Killed while messages are under way, it sends some again, and nothing else than before.
#[test]
fn killed_in_the_middle_nothing_is_missing_and_what_comes_twice_is_the_same() {
    let records = renumbered(&Scene::vehicles(3_000).records);
    let (oracle, _) = Oracle::of(&records);
    let (place, topics) = (Place::new(), Topics::new());
    for part in records.chunks(records.len() / 3) {
        topics.produce(part);
        let before = count(&topics);
        let run = topics.run(&place).args(SMALL_BATCHES).start();
        wait_until("it sends something", || count(&topics) > before);
        assert_eq!(run.kill().code, None, "it was under way");
    }
    settle(&topics, &place, &[]);
    assert_stored(&place, &oracle);
    assert_lines(&without_repeats(&sent(&topics)), &expected(&place, &oracle));
}

/// The lines of messages, each once: what comes twice must be the same to the byte.
#[track_caller]
fn without_repeats(sent: &[Record]) -> Vec<String> {
    let bytes: BTreeSet<_> =
        sent.iter().map(|r| (&r.topic, r.partition, r.ts, &r.headers, &r.key, &r.payload)).collect();
    let mut once = lines(sent);
    once.dedup();
    assert_eq!(bytes.len(), once.len(), "what comes twice is the same");
    once
}

/// Messages in the outgoing topics.
fn count(topics: &Topics) -> i64 {
    consumed::count(topics, &OUTGOING)
}

/// While the broker is away nothing is committed, and what was under way arrives when it is back.
#[test]
fn the_broker_away_and_back() {
    let records = renumbered(&Scene::vehicles(2_000).records);
    let (oracle, _) = Oracle::of(&records);
    let mut broker = Broker::start();
    let (place, topics) = (Place::new(), Topics::at(&broker.address));
    topics.produce(&records);
    let run = topics.run(&place).args(SMALL_BATCHES).start();
    wait_until("it sends something", || count(&topics) > 0);
    broker.order("stop");
    sleep(Duration::from_secs(4));
    broker.order("start");
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0);
    assert_stored(&place, &oracle);
    assert_lines(&without_repeats(&sent(&topics)), &expected(&place, &oracle));
}

/// Without its topics a run says what to do, commits nothing, and goes on once they are there.
#[test]
fn missing_topics_are_waited_for() {
    let records = Scene::vehicles(24).records;
    let (oracle, _) = Oracle::of(&records);
    let (place, topics) = (Place::new(), Topics::none_at(shared()));
    topics.create_read();
    topics.produce(&records);
    let run = topics.run(&place).start();
    sleep(Duration::from_secs(4));
    assert_eq!(topics.lag(), 72, "nothing is committed before it is sent on");
    topics.create(&OUTGOING.map(|(topic, partitions)| (topics.name(topic), partitions)));
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0).says(&["hexflow migrate", &topics.name(METADATA), "nothing is lost"]);
    assert_lines(&lines(&sent(&topics)), &expected(&place, &oracle));
}

/// One that is told not to send sends nothing, and needs no topics to send to.
#[test]
fn a_run_can_be_told_to_send_nothing() {
    let (place, topics) = (Place::new(), Topics::none_at(shared()));
    topics.create_read();
    topics.produce(&Scene::vehicles(24).records);
    settle(&topics, &place, &["--set", "kafka.send=false"]);
    let letters = ["--set", "kafka.send=false", "--set", "on_malformed=dead_letter"];
    topics.run(&place).args(letters).end().expect(2).says(&["kafka.send"]);
}

/// A message that no broker takes ends the run, which says which and what to do; nothing of its partition is committed.
#[test]
fn a_message_too_large_ends_the_run_with_its_name() {
    let mut scene = Scene::vehicles(1);
    scene.records[1].edit(|body| body["imageUrl"] = "u".repeat(2_000).into());
    let (place, topics) = (Place::new(), Topics::new());
    topics.produce(&scene.records);
    let run = topics.run(&place).args(["--set", "kafka.properties.message.max.bytes=1000"]);
    run.end().expect(1).says(&[METADATA, "max.message.bytes"]);
    assert_eq!(topics.lag(), 3);
}

/// What was there before is not touched by a run that has nothing to do.
#[test]
fn a_second_run_sends_nothing_more() {
    let (place, topics) = (Place::new(), Topics::new());
    topics.produce(&Scene::vehicles(24).records);
    settle(&topics, &place, &[]);
    let all = |topics: &Topics| -> Vec<Vec<Consumed>> {
        OUTGOING.iter().map(|(topic, partitions)| consumed::read(topics, topic, *partitions)).collect()
    };
    let before = all(&topics);
    let run = topics.run(&place).start();
    sleep(Duration::from_secs(2));
    run.terminate();
    run.end().expect(0);
    assert_eq!(before, all(&topics));
}
