//! Catches what is lost or done twice when a run, one of its processes, or the broker stops, well or badly.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::oracle::Oracle;
use crate::support::judge::assert_stored;
use crate::support::kafka::{Broker, Topics, renumbered};
use crate::support::place::Place;
use crate::support::record::{Record, TRACKS};
use crate::support::run::{random_ms, wait_until};
use crate::support::scene::Scene;
use crate::support::store::count_rows;
use crate::support::varied::varied;
use crate::support::{cluster, sample};

const SMALL_BATCHES: &[&str] = &["--set", "kafka.citylens.batch_size=40"];

/// Kills runs one after the other while records come, then lets one end the work.
fn killed_and_run_again(records: &[Record], workers: &[&str]) {
    let (oracle, _) = Oracle::of(records);
    let (place, topics) = (Place::new(), Topics::new());
    let mut parts = records.chunks(records.len() / workers.len() + 1);
    for workers in workers {
        topics.produce(parts.next().unwrap_or_default());
        let mut run = topics.run(&place).args(SMALL_BATCHES).args(["-w", workers]).start();
        // Where it waits for tracks it stores nothing at first.
        let (before, began) = (count_rows(&place.database(), "audit_log"), Instant::now());
        wait_until("it is at work", || {
            let stores = count_rows(&place.database(), "audit_log") > before;
            run.has_ended() || stores || began.elapsed() > Duration::from_secs(3)
        });
        sleep(random_ms(400));
        assert_eq!(run.kill().code, None, "it was under way");
    }
    parts.for_each(|part| topics.produce(part));
    let run = topics.run(&place).args(["-w", "2"]).start();
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0);
    assert_stored(&place, &oracle);
}

#[test]
fn a_crash_mid_batch_again_and_again() {
    killed_and_run_again(&renumbered(&varied(8_000, 71)), &["1", "2", "4", "1", "2"]);
}

/// With most frames ahead of their tracks, so that partitions are being set back when it is killed.
#[test]
fn a_crash_while_partitions_wait_for_their_mapping() {
    let mut records = renumbered(&sample::first_hours(5));
    // The last part of what is produced has half of the tracks.
    let tracks = records.iter().filter(|record| record.topic == TRACKS).count();
    let mut nth = 0;
    records.sort_by_cached_key(|record| {
        nth += usize::from(record.topic == TRACKS);
        record.topic == TRACKS && nth > tracks / 2
    });
    killed_and_run_again(&records, &["2", "1", "2", "2"]);
}

#[test]
fn a_killed_process_ends_the_other_and_both_begin_again() {
    let records = renumbered(&sample::first_hours(5));
    let (oracle, _) = Oracle::of(&records);
    let (place, topics) = (Place::new(), Topics::new());
    topics.produce(&records);
    for lost in [0, 1] {
        let mut processes = cluster::start(|| topics.run(&place).args(SMALL_BATCHES)).map(Some);
        let before = count_rows(&place.database(), "audit_log");
        wait_until("it stores something", || count_rows(&place.database(), "audit_log") > before);
        sleep(random_ms(200));
        processes[lost].take().expect("it runs").kill();
        let other = processes[1 - lost].take().expect("it runs").fall();
        assert_ne!(other.code, Some(0), "{other:?}");
    }
    let [first, second] = cluster::start(|| topics.run(&place));
    topics.wait_for_lag(0);
    first.terminate();
    first.end().expect(0);
    second.end().expect(0);
    assert_stored(&place, &oracle);
}

/// Told to stop in the midst of its work, it commits all that it has read, and only that.
#[test]
fn told_to_stop_in_the_middle_it_commits_what_it_stored() {
    let mut records = varied(8_000, 72);
    // Of another environment there are none: those count as ignored behind a stall, too.
    records.retain(|record| record.header("env") == Some("prod"));
    let records = renumbered(&records);
    let (oracle, _) = Oracle::of(&records);
    let (place, topics) = (Place::new(), Topics::new());
    topics.produce(&records);
    let total = i64::try_from(records.len()).expect("small");
    let mut read = 0;
    for _ in 0..3 {
        let run = topics.run(&place).args(SMALL_BATCHES).start();
        let before = count_rows(&place.database(), "audit_log");
        wait_until("it stores something", || count_rows(&place.database(), "audit_log") > before || topics.lag() == 0);
        run.terminate();
        let output = run.end().expect(0);
        let count = |name: &str| output.summary()[name].as_i64().expect("a number");
        // What waits for a track that was still to be read is left to the next run.
        read += count("records") - count("stalled");
        assert_eq!(topics.lag(), total - read, "nothing is read twice: {output:?}");
    }
    let run = topics.run(&place).start();
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0);
    assert_stored(&place, &oracle);
}

/// A process of another cluster takes half of the partitions, and gives them back.
#[test]
fn a_second_member_joins_and_leaves() {
    let records = renumbered(&sample::first_hours(8));
    let (oracle, _) = Oracle::of(&records);
    let (place, topics) = (Place::new(), Topics::new());
    let mut parts = records.chunks(records.len() / 4 + 1);
    let mut produce = || topics.produce(parts.next().unwrap_or_default());
    produce();
    let first = topics.run(&place).args(SMALL_BATCHES).start();
    topics.wait_for_lag(0);
    let second = topics.run(&place).args(SMALL_BATCHES).start();
    produce();
    sleep(Duration::from_secs(1));
    produce();
    sleep(Duration::from_secs(1));
    second.terminate();
    second.end().expect(0);
    produce();
    topics.wait_for_lag(0);
    first.terminate();
    first.end().expect(0);
    assert_stored(&place, &oracle);
}

/// The broker is gone for a while: one line says so, and nothing is lost.
#[test]
fn the_broker_away_and_back() {
    let records = renumbered(&varied(4_000, 73));
    let (oracle, _) = Oracle::of(&records);
    let mut broker = Broker::start();
    let place = Place::new();
    let topics = Topics::at(&broker.address);
    let (before, after) = records.split_at(records.len() / 2);
    topics.produce(before);
    let run = topics.run(&place).args(SMALL_BATCHES).start();
    wait_until("it stores something", || count_rows(&place.database(), "audit_log") > 0);
    broker.order("stop");
    sleep(Duration::from_secs(3));
    broker.order("start");
    topics.produce(after);
    topics.wait_for_lag(0);
    run.terminate();
    let output = run.end().expect(0);
    assert_stored(&place, &oracle);
    assert_eq!(output.stderr.matches("lost the brokers").count(), 1, "{output:?}");
}

#[test]
fn without_a_broker_it_waits_and_still_stops_when_told() {
    let topics = Topics { broker: "127.0.0.1:9".to_owned(), prefix: String::new() };
    let place = Place::new();
    let run = topics.run(&place).start();
    sleep(Duration::from_secs(2));
    let told = Instant::now();
    run.terminate();
    let output = run.end().expect(0).says(&["lost the brokers"]);
    assert!(told.elapsed() < Duration::from_secs(5), "{output:?}");
}

#[test]
fn an_idle_run_stops_at_once() {
    let (place, topics) = (Place::new(), Topics::new());
    topics.produce(&Scene::vehicles(24).records);
    let run = topics.run(&place).args(["-w", "2"]).start();
    topics.wait_for_lag(0);
    let told = Instant::now();
    run.terminate();
    run.end().expect(0);
    assert!(told.elapsed() < Duration::from_secs(5));
}
