//! Catches what is lost or done twice when a run dies, or when the same is replayed again.

use std::path::Path;

use crate::oracle::Oracle;
use crate::support::judge::{assert_counted_again, assert_stored};
use crate::support::place::{Place, shown};
use crate::support::record::{AUDIT, CLUSTERIZATION, METADATA};
use crate::support::run::{Run, wait_until};
use crate::support::store::count_rows;
use crate::support::varied::varied;
use crate::support::{cluster, emitted, sample};

const SMALL_BATCHES: &[&str] = &["--set", "kafka.citylens.batch_size=40"];

/// Starts a run and kills it as soon as the store holds so many upserts; whether it was still under way.
fn kill_at(place: &Place, upserts: u64, run: Run) -> bool {
    let mut run = run.args(SMALL_BATCHES).start();
    let upserts = i64::try_from(upserts).expect("a number of rows");
    wait_until("rows in the store", || run.has_ended() || count_rows(&place.database(), "audit_log") >= upserts);
    run.kill().code.is_none()
}

/// Killed again and again, each run gets a bit further than the one before.
fn killed_and_run_again(folder: &Path, oracle: &Oracle, upserts: u64) {
    let place = Place::new();
    let points = [(1, "1"), (upserts / 10, "2"), (upserts / 3, "4"), (upserts * 3 / 4, "2")];
    let killed = points.map(|(at, workers)| kill_at(&place, at, place.replay().args(["-w", workers]).arg(folder)));
    assert!(killed.iter().filter(|under_way| **under_way).count() >= 3, "most were under way: {killed:?}");
    place.replay().args(["-w", "2"]).arg(folder).summary();
    assert_stored(&place, oracle);
}

#[test]
fn a_varied_stream_killed_and_run_again() {
    let records = varied(10_000, 21);
    let (oracle, counts) = Oracle::of(&records);
    let input = Place::new();
    killed_and_run_again(&input.input("in", &records), &oracle, counts.upserts);
}

#[test]
fn real_hours_killed_and_run_again() {
    let records = sample::first_hours(6);
    let (oracle, counts) = Oracle::of(&records);
    let input = Place::new();
    killed_and_run_again(&input.input("in", &records), &oracle, counts.upserts);
}

/// A process of two is lost: the other ends by itself, and not well; both together complete the work.
#[test]
fn a_lost_process_ends_the_other() {
    let records = sample::first_hours(4);
    let (oracle, _) = Oracle::of(&records);
    for lost in [0, 1] {
        let place = Place::new();
        let folder = place.input("in", &records);
        let replay = || place.replay().args(SMALL_BATCHES).arg(&folder);
        let mut processes = cluster::start(replay).map(Some);
        wait_until("rows in the store", || count_rows(&place.database(), "audit_log") > 0);
        let dead = processes[lost].take().expect("it runs").kill();
        assert_eq!(dead.code, None, "it was under way: {dead:?}");
        let other = processes[1 - lost].take().expect("it runs").fall();
        assert_ne!(other.code, Some(0), "{other:?}");
        assert!(other.stderr.contains("lost another process"), "{other:?}");
        let [first, second] = cluster::end(cluster::start(replay));
        second.expect(0);
        first.expect(0);
        assert_stored(&place, &oracle);
    }
}

/// What a killed run did not send on, the next one does: together they send all there is.
#[test]
fn a_killed_run_and_the_next_send_everything_on() {
    let records = varied(6_000, 22);
    let (oracle, counts) = Oracle::of(&records);
    let place = Place::new();
    let folder = place.input("in", &records);
    let replay = |emit: &str| place.replay().args(["--emit", &shown(&place.path(emit))]).arg(&folder);
    assert!(kill_at(&place, counts.upserts / 3, replay("first")), "it was under way");
    replay("second").summary();
    assert_stored(&place, &oracle);

    let lines = |folder: &Path| -> Vec<String> {
        let topics = [METADATA, CLUSTERIZATION, AUDIT].into_iter();
        topics.flat_map(|topic| emitted::read_torn(folder, topic)).map(|record| emitted::line(&record)).collect()
    };
    let mut sent = [lines(&place.path("first")), lines(&place.path("second"))].concat();
    sent.sort();
    sent.dedup();
    let mut expected = oracle.outgoing(&oracle.check_mapping(&place.store().mapping()));
    expected.dedup();
    assert_eq!(sent.len(), expected.len());
    assert_eq!(sent, expected);
}

#[test]
fn the_same_replay_again_changes_nothing() {
    let records = varied(2_000, 23);
    let (mut oracle, _) = Oracle::of(&records);
    let place = Place::new();
    place.replay_records("in", &records);
    let before = place.store().everything();
    for workers in ["1", "3"] {
        let counts = oracle.replay(&records);
        assert_eq!((counts.upserts, counts.stalled), (0, 0));
        let again = place.replay().args(["-w", workers]).arg(place.path("in")).summary();
        assert_counted_again(&again, &counts);
        assert_eq!(before, place.store().everything());
    }
    assert_stored(&place, &oracle);
}

/// The newer half first: the older one adds what is missing and overwrites nothing.
#[test]
fn an_older_dump_after_a_newer_one() {
    let records = varied(2_000, 24);
    let (tracks, rest) = records.split_at(30);
    let (older, newer) = rest.split_at(rest.len() / 2);
    let place = Place::new();
    let mut oracle = Oracle::default();
    for (name, records) in [("tracks", tracks), ("newer", newer), ("older", older)] {
        let counts = oracle.replay(records);
        assert!(counts.upserts > 0 && (name != "older" || counts.stale > 50), "{counts:?}");
        assert_counted_again(&place.replay_records(name, records), &counts);
    }
    assert_stored(&place, &oracle);
}
