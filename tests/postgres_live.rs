//! Catches a live run that uses an axion track id other than the one that stands in PostgreSQL, whoever has put it there
//! and whenever.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::oracle::Oracle;
use crate::support::judge::assert_holds;
use crate::support::kafka::{Topics, renumbered};
use crate::support::place::Place;
use crate::support::postgres::{Database, Server, put_mapping};
use crate::support::record::{FRAMES, Record, TRACKS};
use crate::support::run::{Run, Running, wait_until};
use crate::support::scene::{Scene, frame};
use crate::support::store::count_rows;
use crate::support::varied::varied;
use crate::support::{cluster, sample};

const STANDING: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn run(place: &Place, topics: &Topics, database: &Database) -> Run {
    database.configure(topics.run(place))
}

/// Waits until all is committed, stops the runs, and compares what they stored with what the oracle says of the records
/// and of the rows that others have put into the mapping.
#[track_caller]
fn settle(
    place: &Place,
    topics: &Topics,
    database: &Database,
    runs: impl IntoIterator<Item = Running>,
    records: &[Record],
) {
    topics.wait_for_lag(0);
    for run in runs {
        run.terminate();
        run.end().expect(0);
    }
    let (mapping, mut oracle) = (database.mapping(), Oracle::default());
    for (citylens, row) in mapping.iter().filter(|(_, row)| row.source == "migration") {
        oracle.put_mapping(citylens, &row.axion);
    }
    oracle.replay(records);
    assert_holds(place, &oracle, &mapping, &place.store().tables());
}

#[test]
fn a_real_day_with_two_workers() {
    let (place, topics, database) = (Place::new(), Topics::new(), Server::shared().database());
    database.put_mapping("ct-338148873", STANDING);
    topics.produce(sample::records());
    let run = run(&place, &topics, &database).args(["-w", "2"]).start();
    settle(&place, &topics, &database, [run], sample::records());
}

/// Another program makes rows for the same tracks at the same time: some are its, some ours, and each row of every table
/// has the id that stands.
#[test]
fn another_writer_of_the_same_tracks() {
    let records = renumbered(&sample::first_hours(8));
    let (place, topics, database) = (Place::new(), Topics::new(), Server::shared().database());
    let tracks: Vec<String> = records.iter().filter(|r| r.topic == TRACKS).filter_map(|r| r.key.clone()).collect();
    let run = run(&place, &topics, &database).args(["-w", "2", "--set", "kafka.citylens.batch_size=20"]).start();
    let ended = AtomicBool::new(false);
    let won = std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let (mut client, mut won) = (database.client(), 0);
            // The last ones first: it is ahead of the run somewhere, and behind it elsewhere.
            for (n, track) in tracks.iter().rev().enumerate() {
                let axion = format!("0b0b0b0b-0000-4000-8000-{n:012}");
                won += u32::from(put_mapping(&mut client, track, &axion));
            }
            ended.store(true, Relaxed);
            won
        });
        for part in records.chunks(records.len() / 8 + 1) {
            topics.produce(part);
        }
        other.join().expect("the other writer")
    });
    settle(&place, &topics, &database, [run], &records);
    assert!(won > 0 && i64::from(won) < database.count("citylens_track_mapping"), "both have made rows: {won}");
}

/// Within a second of its appearing, a row that no track event made lets its partition go on.
#[test]
fn a_missing_row_is_found_as_soon_as_it_is_there() {
    let mut scene = Scene::vehicles(24);
    scene.send(FRAMES, 0, &frame("f-untracked", "t-untracked", 5));
    scene.send(FRAMES, 0, &frame("f-behind", "t-vehicle-0", 6));
    let (place, topics, database) = (Place::new(), Topics::new(), Server::shared().database());
    topics.produce(&scene.records);
    let run = run(&place, &topics, &database).args(["-w", "3"]).start();
    topics.wait_for_lag(2);
    // Long enough for attempts at the record itself to be seconds apart.
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(count_rows(&place.database(), "frames"), 24);
    database.put_mapping("t-untracked", STANDING);
    let put = Instant::now();
    wait_until("both frames are there", || count_rows(&place.database(), "frames") == 26);
    assert!(put.elapsed() < Duration::from_secs(1), "after {:?}", put.elapsed());
    settle(&place, &topics, &database, [run], &scene.records);
}

/// One computation of two processes; and another member of the group, which knows nothing of them.
#[test]
fn processes_that_share_the_table() {
    let records = renumbered(&varied(3_000, 93));
    let (place, topics, database) = (Place::new(), Topics::new(), Server::shared().database());
    let start = || run(&place, &topics, &database).args(["--set", "kafka.citylens.batch_size=20"]);
    let [first, second] = cluster::start(start);
    for part in records.chunks(1_000) {
        topics.produce(part);
    }
    settle(&place, &topics, &database, [first, second], &records);
}

#[test]
fn members_of_a_group_that_know_nothing_of_each_other() {
    let records = renumbered(&varied(3_000, 94));
    let (place, topics, database) = (Place::new(), Topics::new(), Server::shared().database());
    let start = || run(&place, &topics, &database).args(["--set", "kafka.citylens.batch_size=20"]).start();
    let runs = [start(), start()];
    for part in records.chunks(300) {
        topics.produce(part);
        std::thread::sleep(Duration::from_millis(400));
    }
    settle(&place, &topics, &database, runs, &records);
}
