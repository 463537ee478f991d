//! The failures that operators know by name, each met by a run with all its servers. The one that is not here, the migration
//! flag unset, is in `stalls.rs`.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::oracle::Oracle;
use crate::support::kafka::{Topics, renumbered};
use crate::support::place::Place;
use crate::support::ports::free_ports;
use crate::support::record::{DETECTIONS, FRAMES, Record};
use crate::support::run::{Run, wait_until};
use crate::support::scene::{Scene, frame};
use crate::support::varied::varied;
use crate::support::{clickhouse, postgres};
use crate::whole::World;

fn stalls(world: &World, args: &[&str]) -> Run {
    world.control.configure(world.topics.verb("stalls", args))
}

/// It stands in the way of its partition alone, whoever looks is told, and once skipped it is as if it had never come.
#[test]
fn malformed_event() {
    let mut scene = Scene::vehicles(48);
    scene.send(FRAMES, 3, &frame("f-broken", "t-vehicle-3", 30)).payload = Some("{\"frameId\": 7}".to_owned());
    scene.send(FRAMES, 3, &frame("f-behind", "t-vehicle-3", 40));
    let world = World::new();
    world.topics.produce(&scene.records);
    let run = world.run().args(["-w", "2"]).start();
    wait_until("it is listed", || world.control.count("stalled_partitions") == 1);
    world.topics.wait_for_lag(2);
    let told = stalls(&world, &["--json"]).end().expect(3).stdout;
    assert!(told.contains(FRAMES) && told.contains("frameId") && told.contains("\"offset\":2"), "{told}");
    stalls(&world, &["skip", FRAMES, "3", "2", "--reason", "its sender is mended"]).end().expect(0);
    world.settle([run]);
    let is_good = |record: &&Record| record.payload.as_deref() != Some("{\"frameId\": 7}");
    world.assert_complete(&scene.records.iter().filter(is_good).cloned().collect::<Vec<_>>());
}

/// Nothing is committed meanwhile, and nothing is missing or there twice when it is back.
#[test]
fn clickhouse_away() {
    let records = renumbered(&varied(1_500, 93));
    let folder = Place::new();
    let mut rows = clickhouse::Server::start(&folder.path("clickhouse"), free_ports());
    let world = World::of(Topics::new(), rows.database(), postgres::Server::shared().database());
    let (before, behind) = records.split_at(records.len() / 2);
    let run = world.run().start();
    world.topics.produce(before);
    sleep(Duration::from_millis(700));
    let stopped = rows.kill();
    world.topics.produce(behind);
    let lag = world.topics.lag();
    sleep(Duration::from_secs(2));
    assert!(world.topics.lag() >= lag && lag > 0, "nothing that is not stored is committed");
    rows = stopped.start();
    world.settle([run]);
    world.assert_complete(&records);
    drop(rows);
}

/// No mapping is invented; when another program puts it in, the partition has gone on within a second or so.
#[test]
fn mapping_missing() {
    let mut scene = Scene::vehicles(24);
    scene.send(FRAMES, 4, &frame("f-orphan", "t-nobody", 30));
    scene.send(FRAMES, 4, &frame("f-behind", "t-vehicle-4", 40));
    let world = World::new();
    world.topics.produce(&scene.records);
    let run = world.run().start();
    world.topics.wait_for_lag(2);
    sleep(Duration::from_secs(2));
    assert_eq!(world.topics.lag(), 2, "it waits");
    let axion = "0a0a0a0a-0000-4000-8000-000000000002";
    world.control.put_mapping("t-nobody", axion);
    let put = Instant::now();
    wait_until("it has gone on", || world.rows.count("frames") == 26);
    assert!(put.elapsed() < Duration::from_secs(3), "{:?}", put.elapsed());
    world.settle([run]);
    let mut oracle = Oracle::default();
    oracle.put_mapping("t-nobody", axion);
    oracle.replay(&scene.records);
    world.assert_holds(&oracle);
}

#[test]
fn crash_mid_batch() {
    let records = renumbered(&varied(2_000, 94));
    let world = World::new();
    world.topics.produce(&records);
    let run = world.run().args(["--set", "kafka.citylens.batch_size=10"]).start();
    wait_until("something is stored", || world.rows.count("audit_log") > 0);
    run.kill();
    world.settle([world.run().args(["-w", "2"]).start()]);
    world.assert_complete(&records);
}

/// A topic goes and comes again while another member joins. Positions in the old one mean nothing in the new one, so whoever
/// has read of it ends and says why; started again, it reads the new one from its beginning.
#[test]
fn topic_deleted_and_rebalance() {
    let mut scene = Scene::vehicles(48);
    let world = World::new();
    world.topics.produce(&scene.records);
    let first = world.run().start();
    world.topics.wait_for_lag(0);
    // It asks every few seconds what it has committed.
    sleep(Duration::from_secs(6));
    world.topics.delete(DETECTIONS);
    sleep(Duration::from_secs(1));
    world.topics.create(&[(world.topics.name(DETECTIONS), 24)]);
    let second = world.run().start();
    let before = scene.records.len();
    for n in 0..48 {
        scene.vehicle(&format!("later-{n}"), n % 24);
    }
    world.topics.produce(&scene.records[before..]);
    // Where its partitions were taken from it in time, it reads on by itself.
    let mut first = first;
    wait_until("it has ended, or all is stored", || first.has_ended() || world.rows.count("audit_log") == 48 * 6);
    if first.has_ended() {
        let fallen = first.fall();
        assert_eq!(fallen.code, Some(1), "{fallen:?}");
        fallen.says(&["the topic was deleted", DETECTIONS]);
    } else {
        first.kill();
    }
    second.kill();
    let again = world.run().start();
    wait_until("all is stored", || world.rows.count("audit_log") == 48 * 6);
    world.settle([again]);
    world.assert_complete(&scene.records);
}
