//! Catches a ClickHouse that does not hold what SQLite would: rows lost, stale, twice, or not readable without `FINAL`.

use crate::oracle::{Counts, Oracle};
use crate::support::clickhouse::{Database, Server};
use crate::support::cluster;
use crate::support::judge::{assert_counted, assert_counted_again, assert_holds};
use crate::support::place::Place;
use crate::support::record::{FRAMES, Record, TRACKS};
use crate::support::run::{Run, wait_until};
use crate::support::sample;
use crate::support::scene::{Scene, frame, track};
use crate::support::varied::varied;

/// So small that not all of some thousand records is under way at once.
pub(crate) const TINY_BATCHES: &[&str] = &["--set", "kafka.citylens.batch_size=5"];
const SMALL_BATCHES: &[&str] = &["--set", "kafka.citylens.batch_size=37"];

/// `replay` into a database, the objects into a place.
pub(crate) fn replay(place: &Place, database: &Database) -> Run {
    database.configure(place.replay_into("clickhouse"))
}

pub(crate) fn assert_stored(place: &Place, database: &Database, oracle: &Oracle) {
    assert_holds(place, oracle, &database.mapping(), &database.tables());
}

/// Replays twice: the first run stores all, the second changes nothing.
fn twice(records: &[Record], (oracle, counts): &(Oracle, Counts), args: &[&str]) {
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", records);
    assert_counted(&replay(&place, &database).args(args).arg(&folder).summary(), counts);
    assert_stored(&place, &database, oracle);
    let before = database.everything();
    let again = replay(&place, &database).args(args).arg(&folder).summary();
    assert_eq!(again["upserts"], 0, "{again}");
    assert!(before == database.everything(), "the second run has changed something");
}

#[test]
fn the_day_on_one_worker() {
    twice(sample::records(), sample::expected(), &["-w", "1"]);
}

#[test]
fn the_day_on_two_workers() {
    twice(sample::records(), sample::expected(), &["-w", "2"]);
}

#[test]
fn the_day_on_two_processes() {
    let (oracle, counts) = sample::expected();
    let (place, database) = (Place::new(), Server::shared().database());
    let start = || replay(&place, &database).arg(sample::folder());
    let [first, second] = cluster::end(cluster::start(start));
    second.expect(0);
    assert_counted(&first.expect(0).summary(), counts);
    assert_stored(&place, &database, oracle);
    let [first, _] = cluster::end(cluster::start(start));
    assert_eq!(first.expect(0).summary()["upserts"], 0);
}

#[test]
fn a_varied_stream_on_one_worker() {
    let records = varied(3_000, 71);
    twice(&records, &Oracle::of(&records), &["-w", "1"]);
}

#[test]
fn a_varied_stream_on_two_workers_in_small_batches() {
    let records = varied(3_000, 72);
    twice(&records, &Oracle::of(&records), &[&["-w", "2"], SMALL_BATCHES].concat());
}

#[test]
fn a_varied_stream_on_two_processes_in_small_batches() {
    let records = varied(3_000, 73);
    let (oracle, counts) = Oracle::of(&records);
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", &records);
    let start = || replay(&place, &database).args(SMALL_BATCHES).arg(&folder);
    let [first, second] = cluster::end(cluster::start(start));
    second.expect(0);
    assert_counted(&first.expect(0).summary(), &counts);
    assert_stored(&place, &database, &oracle);
}

/// What the state has forgotten, the store still knows; and the newer half goes first.
#[test]
fn an_older_dump_after_a_newer_one() {
    let records = varied(2_000, 74);
    let (tracks, rest) = records.split_at(30);
    let (older, newer) = rest.split_at(rest.len() / 2);
    let (place, database) = (Place::new(), Server::shared().database());
    let mut oracle = Oracle::default();
    for (name, records) in [("tracks", tracks), ("newer", newer), ("older", older)] {
        let counts = oracle.replay(records);
        let run = replay(&place, &database).args(["--set", "dedup.window=1s"]);
        assert_counted_again(&run.arg(place.input(name, records)).summary(), &counts);
    }
    assert_stored(&place, &database, &oracle);
}

/// Killed again and again, each run gets a bit further than the one before: between a delete and its insert as well.
#[test]
fn killed_and_run_again() {
    let records = varied(10_000, 75);
    let (oracle, counts) = Oracle::of(&records);
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", &records);
    let points = [(1, "1"), (counts.upserts / 10, "2"), (counts.upserts / 3, "1"), (counts.upserts * 3 / 4, "2")];
    let killed = points.map(|(at, workers)| {
        let mut run = replay(&place, &database).args(["-w", workers]).args(TINY_BATCHES).arg(&folder).start();
        wait_until("audits in the store", || run.has_ended() || database.count("audit_log") >= at);
        run.kill().code.is_none()
    });
    assert!(killed.iter().filter(|under_way| **under_way).count() >= 2, "some were under way: {killed:?}");
    replay(&place, &database).args(["-w", "2"]).arg(&folder).summary();
    assert_stored(&place, &database, &oracle);
}

/// The server takes an insert that it has had before for a repeat, unless it is told otherwise: here of a row that was
/// deleted in between, as one that a crash left between its delete and its insert.
#[test]
fn a_row_that_is_inserted_again_is_not_swallowed() {
    let records = Scene::vehicles(10).records;
    let (oracle, _) = Oracle::of(&records);
    let (place, database) = (Place::new(), Server::shared().database());
    for table in ["tracks", "frames", "detections", "audit_log"] {
        database.sql(&format!("ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 1000"));
    }
    let folder = place.input("in", &records);
    replay(&place, &database).arg(&folder).summary();
    for table in ["frames", "detections"] {
        database.sql(&format!("DELETE FROM {table} WHERE true"));
    }
    let again = replay(&place, &database).arg(&folder).summary();
    assert_eq!(again["upserts"], 20, "{again}");
    assert_stored(&place, &database, &oracle);
}

/// Ids may hold whatever a statement gives a meaning to.
#[test]
fn odd_ids_are_only_ids() {
    let mut scene = Scene::default();
    let ids =
        ["'); DROP TABLE tracks; --", "a\\", "?", "??", "a\u{1}b", "\u{1}", "tab\tline\nnul\0", "`{x:String}", "é🚢"];
    for (n, updated) in [1, 2, 3, 3].into_iter().enumerate() {
        for id in ids {
            scene.send(TRACKS, 0, &track(id, updated)).set_header("request-id", Some(id));
            let request = format!("{id} {}", n / 2);
            scene.send(FRAMES, 0, &frame(id, id, updated)).set_header("request-id", Some(&request));
        }
    }
    let records = scene.records;
    twice(&records, &Oracle::of(&records), SMALL_BATCHES);
}

/// Two that do the same at the same time, as the owner of a partition and the one before it may: neither knows of the other.
#[test]
fn two_replays_at_once() {
    let records = varied(3_000, 76);
    let (oracle, _) = Oracle::of(&records);
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", &records);
    let both = ["5", "8"].map(|size| {
        let batches = format!("kafka.citylens.batch_size={size}");
        replay(&place, &database).args(["--set", &batches]).arg(&folder).start()
    });
    for run in both {
        run.end().expect(0);
    }
    assert_stored(&place, &database, &oracle);
}

/// Two rows of one key, left by writers that met: the next replay leaves one.
#[test]
fn a_row_that_stands_twice_is_mended() {
    let records = Scene::vehicles(20).records;
    let (oracle, _) = Oracle::of(&records);
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", &records);
    replay(&place, &database).arg(&folder).summary();
    database.sql("INSERT INTO frames SELECT * FROM frames");
    assert_eq!(database.count("frames"), 40);
    let again = replay(&place, &database).arg(&folder).summary();
    assert_eq!(again["upserts"], 0, "{again}");
    assert_stored(&place, &database, &oracle);
}
