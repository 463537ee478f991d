//! Catches a run that gives up, or loses something, while ClickHouse is away or refuses; and one that goes on where somebody
//! must act.

use std::time::Duration;

use crate::clickhouse::{TINY_BATCHES, assert_stored, replay};
use crate::oracle::Oracle;
use crate::support::clickhouse::Server;
use crate::support::judge::{assert_counted, assert_counted_again};
use crate::support::place::Place;
use crate::support::ports::free_ports;
use crate::support::run::{Run, wait_until};
use crate::support::scene::Scene;
use crate::support::varied::varied;

/// Killed in the midst of the work, and started again seconds later: the run goes on by itself.
#[test]
fn a_server_that_is_killed_and_comes_back() {
    let records = varied(10_000, 81);
    let (oracle, counts) = Oracle::of(&records);
    let place = Place::new();
    let server = Server::start(&place.path("server"), free_ports());
    let database = server.database();
    let folder = place.input("in", &records);
    let mut run = replay(&place, &database).args(["-w", "2"]).args(TINY_BATCHES).arg(&folder).start();
    wait_until("frames in the store", || run.has_ended() || database.count("frames") > 20);
    let stopped = server.kill();
    std::thread::sleep(Duration::from_secs(4));
    assert!(!run.has_ended(), "it waits");
    let _server = stopped.start();
    let output = run.end().expect(0).says(&["ClickHouse at http://127.0.0.1", "network error", "answers again"]);
    assert_eq!(output.stderr.matches("nothing is lost").count(), 1, "told once a minute: {output:?}");
    assert_counted(&output.summary(), &counts);
    assert_stored(&place, &database, &oracle);
}

/// A server that is up only after the run has started is waited for.
#[test]
fn a_server_that_comes_later() {
    let records = Scene::vehicles(20).records;
    let place = Place::new();
    let server = Server::start(&place.path("server"), free_ports());
    let database = server.database();
    let stopped = server.kill();
    let run = replay(&place, &database).arg(place.input("in", &records)).start();
    std::thread::sleep(Duration::from_secs(1));
    let _server = stopped.start();
    run.end().expect(0).says(&["cannot connect", "answers again"]);
    assert_stored(&place, &database, &Oracle::of(&records).0);
}

/// Code 252: merges do not keep up. The run waits until they do.
#[test]
fn too_many_parts() {
    let records = varied(3_000, 82);
    let (place, database) = (Place::new(), Server::shared().database());
    let mut oracle = Oracle::default();
    oracle.replay(&records[..500]);
    let counts = oracle.replay(&records);
    let parts = |throw: u32| {
        let set = format!("parts_to_delay_insert = {throw}, parts_to_throw_insert = {throw}");
        database.sql(&format!("ALTER TABLE frames MODIFY SETTING {set}"));
    };
    replay(&place, &database).arg(place.input("some", &records[..500])).summary();
    parts(1);
    let mut run = replay(&place, &database).arg(place.input("in", &records)).start();
    std::thread::sleep(Duration::from_secs(2));
    assert!(!run.has_ended(), "it waits");
    parts(3_000);
    let output = run.end().expect(0).says(&["cannot write the table frames", "Code: 252", "answers again"]);
    assert_counted_again(&output.summary(), &counts);
    assert_stored(&place, &database, &oracle);
}

#[test]
fn a_wrong_password() {
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", &Scene::vehicles(1).records);
    let login = ["--set", "clickhouse.user=writer", "--set", "clickhouse.password=wrong-one"];
    for run in
        [replay(&place, &database).arg(&folder), database.configure(Run::new("migrate").args(["--only", "clickhouse"]))]
    {
        let output = run.args(login).end().expect(1).says(&["127.0.0.1", "Code: 516", "check clickhouse.user"]);
        assert!(!output.stderr.contains("wrong-one"), "{output:?}");
    }
    let right = ["--set", "clickhouse.user=writer", "--set", "clickhouse.password=s3cret"];
    replay(&place, &database).args(right).arg(&folder).summary();
    assert_eq!(database.count("frames"), 1);
}

#[test]
fn a_user_who_may_only_read() {
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", &Scene::vehicles(1).records);
    let login = ["--set", "clickhouse.user=reader", "--set", "clickhouse.password=r3ad"];
    let run = replay(&place, &database).args(login).arg(folder);
    run.end().expect(1).says(&["127.0.0.1", "Code: 164", "must not be read-only"]);
}

#[test]
fn tables_that_are_not_there() {
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", &Scene::vehicles(1).records);
    database.sql("DROP TABLE frames");
    let advice = "run `hexflow migrate`";
    replay(&place, &database).arg(&folder).end().expect(1).says(&["no table", &database.name, "frames", advice]);
    let nowhere = Server::shared().no_database();
    replay(&place, &nowhere).arg(&folder).end().expect(1).says(&["no table nowhere.tracks", advice]);
}

#[test]
fn a_table_that_is_dropped_under_way() {
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", &varied(10_000, 83));
    let run = replay(&place, &database).args(TINY_BATCHES).arg(&folder);
    let mut run = run.start();
    wait_until("audits in the store", || run.has_ended() || database.count("audit_log") > 0);
    database.sql("DROP TABLE detections");
    run.end().expect(1).says(&["the table detections", "Code: 60", "hexflow migrate"]);
}

#[test]
fn a_migration_makes_what_is_missing_and_tells_what_differs() {
    let database = Server::shared().database();
    let migrate = || database.configure(Run::new("migrate").args(["--only", "clickhouse"]));
    database.sql("DROP TABLE tracks");
    database.sql("ALTER TABLE frames MODIFY COLUMN lat Float32");
    let plan = migrate().arg("--dry-run").end().expect(0).says(&["column frames.lat is Float32, not Float64"]);
    assert!(
        plan.stdout.contains("CREATE TABLE IF NOT EXISTS") && plan.stdout.contains("tracks: would be made"),
        "{plan:?}"
    );
    let tracks = "SELECT count() AS n FROM system.tables WHERE database = currentDatabase() AND name = 'tracks'";
    assert_eq!(database.sql(tracks)[0]["n"], 0);
    let made = migrate().end().expect(0);
    assert!(made.stdout.contains("tracks: made") && made.stdout.contains("audit_log: there"), "{made:?}");
    assert_eq!(database.sql(tracks)[0]["n"], 1);
    let again = migrate().end().expect(0);
    assert!(
        again.stdout.contains("tracks: there\n") && again.stdout.contains("frames: there, but different"),
        "{again:?}"
    );
}

/// What is sent where a cluster is configured; this server has none, and says so.
#[test]
fn a_migration_of_a_cluster() {
    let database = Server::shared().no_database();
    let plan = database.configure(Run::new("migrate").args(["--only", "clickhouse"])).args([
        "--dry-run",
        "--set",
        "clickhouse.cluster=main",
    ]);
    let plan = plan.end().expect(0);
    for text in
        ["CREATE DATABASE IF NOT EXISTS `nowhere` ON CLUSTER `main`", "ENGINE = ReplicatedMergeTree('/clickhouse/"]
    {
        assert!(plan.stdout.contains(text), "{plan:?}");
    }
    let run = database
        .configure(Run::new("migrate").args(["--only", "clickhouse"]))
        .args(["--set", "clickhouse.cluster=main"]);
    run.end().expect(1).says(&["Code: "]);
}

/// Nobody listens: a migration says so at once.
#[test]
fn a_migration_without_a_server() {
    let url = format!("clickhouse.url=http://127.0.0.1:{}", free_ports());
    Run::new("migrate").args(["--only", "clickhouse"]).args(["--set", &url]).end().expect(1).says(&[
        "127.0.0.1",
        "refused",
        "try again later",
    ]);
}
