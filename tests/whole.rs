//! Catches what goes wrong only where all servers are real at once: from Kafka into ClickHouse, PostgreSQL, S3 and Kafka.
//!
//! `HEXFLOW_TEST_KILLS` and `HEXFLOW_TEST_SECONDS_AWAY` say how often a run is killed and how long each server is stopped:
//! more than here for a longer look.

use std::collections::BTreeSet;
use std::env;
use std::os::unix::fs::symlink;
use std::thread::sleep;
use std::time::Duration;

use crate::kafka_outgoing::{lines, sent};
use crate::oracle::Oracle;
use crate::support::judge::assert_holds;
use crate::support::kafka::{Broker, Topics, renumbered};
use crate::support::place::Place;
use crate::support::record::{FRAMES, Record, TRACKS};
use crate::support::run::{Run, Running, random_ms, wait_until};
use crate::support::s3::S3;
use crate::support::varied::varied;
use crate::support::{clickhouse, cluster, postgres, sample};

const SMALL_BATCHES: &[&str] = &["--set", "kafka.citylens.batch_size=25"];

/// All that a run needs.
pub(crate) struct World {
    pub(crate) place: Place,
    pub(crate) topics: Topics,
    pub(crate) rows: clickhouse::Database,
    pub(crate) control: postgres::Database,
    s3: S3,
}

impl World {
    pub(crate) fn new() -> World {
        let topics = Topics::new();
        World::of(topics, clickhouse::Server::shared().database(), postgres::Server::shared().database())
    }

    pub(crate) fn of(topics: Topics, rows: clickhouse::Database, control: postgres::Database) -> World {
        let place = Place::new();
        let s3 = S3::start(&place);
        symlink(s3.objects(""), place.objects()).expect("a link");
        World { place, topics, rows, control, s3 }
    }

    pub(crate) fn run(&self) -> Run {
        let run = self.topics.run_into(&self.place, "clickhouse");
        self.s3.keeps_objects_of(self.rows.configure(self.control.configure(run)), "bucket")
    }

    /// Waits until all is committed, and stops the runs.
    #[track_caller]
    pub(crate) fn settle(&self, runs: impl IntoIterator<Item = Running>) {
        self.topics.wait_for_lag(0);
        for run in runs {
            run.terminate();
            run.end().expect(0);
        }
    }

    /// Tables, mapping and objects are the oracle's, and all that was to be sent on is there. A run that knows nothing of what
    /// another one had sent may send more: repeats.
    #[track_caller]
    pub(crate) fn assert_complete(&self, records: &[Record]) {
        self.assert_holds(&Oracle::of(records).0);
    }

    /// The same of an oracle that knows more than the records.
    #[track_caller]
    pub(crate) fn assert_holds(&self, oracle: &Oracle) {
        let mapping = self.control.mapping();
        assert_holds(&self.place, oracle, &mapping, &self.rows.tables());
        let sent: BTreeSet<String> = lines(&sent(&self.topics)).into_iter().collect();
        let expected = oracle.outgoing(&oracle.check_mapping(&mapping));
        let missing: Vec<_> = expected.iter().filter(|line| !sent.contains(*line)).collect();
        assert!(missing.is_empty(), "{} messages were not sent on, the first: {}", missing.len(), missing[0]);
    }
}

fn told(name: &str, otherwise: u64) -> u64 {
    env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn a_real_day_with_two_workers() {
    let world = World::new();
    world.topics.produce(sample::records());
    world.settle([world.run().args(["-w", "2"]).start()]);
    world.assert_complete(sample::records());
}

#[test]
fn a_real_day_with_two_processes() {
    let world = World::new();
    world.topics.produce(sample::records());
    let [first, second] = cluster::start(|| world.run());
    world.topics.wait_for_lag(0);
    first.terminate();
    first.end().expect(0);
    second.end().expect(0);
    world.assert_complete(sample::records());
}

/// Frames that are ahead of their tracks among the records.
#[test]
fn killed_at_random_instants() {
    let mut records = renumbered(&varied(4_000, 91));
    let tracks = records.iter().filter(|record| record.topic == TRACKS).count();
    let mut nth = 0;
    records.sort_by_cached_key(|record| {
        nth += usize::from(record.topic == TRACKS);
        record.topic == TRACKS && nth > tracks / 2
    });
    let world = World::new();
    let kills = told("HEXFLOW_TEST_KILLS", 3);
    let part = records.len() / usize::try_from(kills + 1).expect("small") + 1;
    for part in records.chunks(part).take(usize::try_from(kills).expect("small")) {
        world.topics.produce(part);
        let run = world.run().args(SMALL_BATCHES).args(["-w", "2"]).start();
        sleep(random_ms(6_000));
        run.kill();
    }
    let last = records.chunks(part).skip(usize::try_from(kills).expect("small")).flatten().cloned();
    world.topics.produce(&last.collect::<Vec<_>>());
    world.settle([world.run().start()]);
    world.assert_complete(&records);
}

#[test]
fn each_server_is_stopped_for_a_while() {
    let records = renumbered(&sample::first_hours(9));
    let folder = Place::new();
    let mut broker = Broker::start();
    let mut rows = clickhouse::Server::start(&folder.path("clickhouse"), crate::support::ports::free_ports());
    let mut control = postgres::Server::start();
    let mut world = World::of(Topics::at(&broker.address), rows.database(), control.database());
    let run = world.run().args(["-w", "2"]).start();
    let away = Duration::from_secs(told("HEXFLOW_TEST_SECONDS_AWAY", 3));
    for (nth, part) in records.chunks(records.len() / 4 + 1).enumerate() {
        let (now, meanwhile) = part.split_at(part.len() / 3);
        world.topics.produce(now);
        sleep(random_ms(500));
        match nth {
            0 => {
                broker.order("stop");
                sleep(away);
                broker.order("start");
                world.topics.produce(meanwhile);
            }
            1 => {
                let stopped = rows.kill();
                world.topics.produce(meanwhile);
                sleep(away);
                rows = stopped.start();
            }
            2 => {
                control.order("stop");
                world.topics.produce(meanwhile);
                sleep(away);
                control.order("start");
            }
            _ => {
                world.s3.order("stop");
                world.topics.produce(meanwhile);
                sleep(away);
                world.s3.order("start");
            }
        }
    }
    world.settle([run]);
    world.assert_complete(&records);
    drop(rows);
}

/// A cluster of its own joins the group and leaves it, with a record in the middle that nobody understands.
#[test]
fn another_member_joins_and_leaves_beside_a_poison_record() {
    let mut records = sample::first_hours(8);
    let at = records.iter().rposition(|record| record.topic == FRAMES && record.partition == 5).expect("a frame");
    let mut poison = records[at].clone();
    poison.payload = Some("{".to_owned());
    records.insert(at, poison);
    let records = renumbered(&records);
    let poison = records.iter().find(|record| record.payload.as_deref() == Some("{")).expect("it is there").offset;
    let world = World::new();
    let mut parts = records.chunks(records.len() / 4 + 1);
    let mut next = || world.topics.produce(parts.next().expect("four parts"));
    let first = world.run().args(SMALL_BATCHES).start();
    next();
    let second = world.run().args(SMALL_BATCHES).args(["-w", "2"]).start();
    next();
    sleep(Duration::from_secs(2));
    next();
    second.terminate();
    second.end().expect(0);
    next();
    // Others may stand for a moment, until their tracks have come.
    let listed = format!("stalled_partitions WHERE partition = 5 AND \"offset\" = {poison}");
    wait_until("it is listed", || world.control.count(&listed) == 1);
    let skip = ["skip", FRAMES, "5", &poison.to_string(), "--reason", "a test's poison"];
    world.control.configure(world.topics.verb("stalls", &skip)).end().expect(0);
    world.settle([first]);
    let good = records.into_iter().filter(|record| record.payload.as_deref() != Some("{"));
    world.assert_complete(&good.collect::<Vec<_>>());
}
