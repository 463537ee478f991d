//! Catches a run that gives up, or loses something, while PostgreSQL is away.

use std::thread::sleep;
use std::time::Duration;

use crate::oracle::Oracle;
use crate::support::judge::assert_holds;
use crate::support::kafka::{Topics, renumbered};
use crate::support::place::Place;
use crate::support::postgres::Server;
use crate::support::run::wait_until;
use crate::support::scene::Scene;
use crate::support::store::count_rows;
use crate::support::varied::varied;

const SMALL_BATCHES: &[&str] = &["--set", "kafka.citylens.batch_size=20"];

/// It is stopped, and killed, in the midst of the work, and started again seconds later.
#[test]
fn stopped_and_started_again() {
    let records = renumbered(&varied(4_000, 95));
    let (oracle, _) = Oracle::of(&records);
    let mut server = Server::start();
    let (place, topics, database) = (Place::new(), Topics::new(), server.database());
    let mut parts = records.chunks(records.len() / 3 + 1);
    let mut produce = || topics.produce(parts.next().unwrap_or_default());
    produce();
    let mut run = database.configure(topics.run(&place)).args(SMALL_BATCHES).args(["-w", "2"]).start();
    wait_until("it stores something", || count_rows(&place.database(), "audit_log") > 0);
    for order in ["stop", "kill"] {
        server.order(order);
        produce();
        sleep(Duration::from_secs(3));
        assert!(!run.has_ended(), "it waits");
        server.order("start");
    }
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0).says(&["nothing is lost, trying again until it can", "answers again server=PostgreSQL"]);
    assert_holds(&place, &oracle, &database.mapping(), &place.store().tables());
}

/// What is new while it is away waits, is not committed, and is not invented.
#[test]
fn nothing_is_committed_without_it() {
    let mut server = Server::start();
    let (place, topics, database) = (Place::new(), Topics::new(), server.database());
    let records = Scene::vehicles(24).records;
    let run = database.configure(topics.run(&place)).start();
    sleep(Duration::from_secs(2));
    server.order("stop");
    topics.produce(&records);
    sleep(Duration::from_secs(3));
    assert_eq!((topics.lag(), count_rows(&place.database(), "frames")), (72, 0));
    server.order("start");
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0);
    assert_holds(&place, &Oracle::of(&records).0, &database.mapping(), &place.store().tables());
}

/// A run that is started before it waits, and can be stopped.
#[test]
fn it_comes_later() {
    let mut server = Server::start();
    let (place, topics, database) = (Place::new(), Topics::new(), server.database());
    let records = Scene::vehicles(24).records;
    topics.produce(&records);
    server.order("stop");
    let start = || database.configure(topics.run(&place)).start();
    let run = start();
    sleep(Duration::from_secs(2));
    run.terminate();
    run.end().expect(0).says(&["PostgreSQL at 127.0.0.1", "trying again"]);
    let run = start();
    sleep(Duration::from_secs(1));
    server.order("start");
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0);
    assert_holds(&place, &Oracle::of(&records).0, &database.mapping(), &place.store().tables());
}
