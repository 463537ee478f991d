//! Catches a run that reads before the migration is done; and stalls that are not told of, or for longer than they last.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::oracle::Oracle;
use crate::oracle::sensors::{USUAL, sensors};
use crate::support::judge::assert_holds;
use crate::support::kafka::{Topics, renumbered};
use crate::support::place::Place;
use crate::support::postgres::{Database, Server};
use crate::support::readings::{Disorder, movements};
use crate::support::record::FRAMES;
use crate::support::run::{Run, wait_until};
use crate::support::scene::{Scene, frame};
use crate::support::store::{Mapping, count_rows};
use crate::support::windows::{assert_table, stored};

/// Where the control tables are, in a test.
pub(crate) enum Control {
    Embedded,
    Postgres(Database),
}

impl Control {
    /// One of each kind.
    pub(crate) fn both() -> [Control; 2] {
        [Control::Embedded, Control::Postgres(Server::shared().database())]
    }

    /// The run with these control tables.
    pub(crate) fn configure(&self, run: Run) -> Run {
        match self {
            Control::Embedded => run,
            Control::Postgres(database) => database.configure(run),
        }
    }

    /// `hexflow stalls` on the topics and the place's store.
    pub(crate) fn stalls(&self, place: &Place, topics: &Topics, args: &[&str]) -> Run {
        let (prefix, store) = (format!("kafka.topic_prefix={}", topics.prefix), format!("sqlite:{}", shown(place)));
        self.configure(Run::new("stalls").args(args).args(["--store", &store, "--set", &prefix]))
    }

    /// Topic, partition and offset of those that are listed.
    pub(crate) fn listed(&self, place: &Place, topics: &Topics) -> Vec<(String, u64, u64)> {
        let listed = self.stalls(place, topics, &["--json"]).end();
        let rows: Value = serde_json::from_str(&listed.stdout).unwrap_or_else(|error| panic!("{error}: {listed:?}"));
        let rows = rows.as_array().expect("a list");
        assert_eq!(listed.code, Some(if rows.is_empty() { 0 } else { 3 }), "{listed:?}");
        let number = |row: &Value, name: &str| row[name].as_u64().expect("a number");
        let row = |row: &Value| {
            let topic =
                row["topic"].as_str().and_then(|name| name.strip_prefix(&topics.prefix)).expect("its full name");
            (topic.to_owned(), number(row, "partition"), number(row, "offset"))
        };
        rows.iter().map(row).collect()
    }

    fn set_done(&self, place: &Place, done: bool) {
        match self {
            Control::Embedded => {
                let update = format!("UPDATE migration_state SET initial_migration_done = {}", u8::from(done));
                place.store().connection.execute(&update, []).expect("a row");
            }
            Control::Postgres(database) => database.set_done(done),
        }
    }

    pub(crate) fn mapping(&self, place: &Place) -> std::collections::BTreeMap<String, Mapping> {
        match self {
            Control::Embedded => place.store().mapping(),
            Control::Postgres(database) => database.mapping(),
        }
    }

    #[track_caller]
    pub(crate) fn assert_stored(&self, place: &Place, oracle: &Oracle) {
        assert_holds(place, oracle, &self.mapping(place), &place.store().tables());
    }
}

fn shown(place: &Place) -> String {
    place.database().display().to_string()
}

fn frames(place: &Place) -> i64 {
    count_rows(&place.database(), "frames")
}

/// While the flag is unset nothing is read and nothing committed; a second after it is set, all is under way. And the
/// other way round.
#[test]
fn migration_flag_unset() {
    for control in Control::both() {
        let mut scene = Scene::vehicles(48);
        let (place, topics) = (Place::new(), Topics::new());
        // The embedded store is there, and says that there is nothing to migrate.
        place.replay_records("first", &scene.records[..1]);
        control.set_done(&place, false);
        topics.produce(&scene.records);
        let run = control.configure(topics.run(&place)).args(["-w", "2"]).start();
        sleep(Duration::from_secs(4));
        assert_eq!((frames(&place), topics.lag()), (0, 144));
        control.set_done(&place, true);
        let set = Instant::now();
        wait_until("frames are stored", || frames(&place) > 0);
        assert!(set.elapsed() < Duration::from_secs(2), "after {:?}", set.elapsed());
        topics.wait_for_lag(0);

        control.set_done(&place, false);
        sleep(Duration::from_secs(1));
        let more = [scene.send(FRAMES, 0, &frame("f-later", "t-vehicle-0", 50)).clone()];
        topics.produce(&more);
        sleep(Duration::from_secs(2));
        assert_eq!((frames(&place), topics.lag()), (48, 1));
        control.set_done(&place, true);
        topics.wait_for_lag(0);
        run.terminate();
        run.end().expect(0).says(&["initial_migration_done is false", "the initial migration is done"]);
        control.assert_stored(&place, &Oracle::of(&scene.records).0);
    }
}

/// Partitions that come to a run by a rebalance while it waits are not read either.
#[test]
fn partitions_that_come_while_the_flag_is_unset_wait_too() {
    let (place, topics, database) = (Place::new(), Topics::new(), Server::shared().database());
    let records = Scene::vehicles(48).records;
    database.set_done(false);
    topics.produce(&records);
    let start = || database.configure(topics.run(&place)).start();
    let (first, second) = (start(), start());
    sleep(Duration::from_secs(4));
    second.terminate();
    second.end().expect(0);
    sleep(Duration::from_secs(3));
    assert_eq!((frames(&place), topics.lag()), (0, 144));
    database.set_done(true);
    topics.wait_for_lag(0);
    first.terminate();
    first.end().expect(0);
    Control::Postgres(database).assert_stored(&place, &Oracle::of(&records).0);
}

/// What needs no mapping is read and committed meanwhile.
#[test]
fn windows_do_not_wait_for_the_migration() {
    let (place, topics, database) = (Place::new(), Topics::new(), Server::shared().database());
    let mut records = Scene::vehicles(48).records;
    records.extend(renumbered(&movements(300, 61, Disorder(5_000))));
    database.set_done(false);
    topics.produce(&records);
    let run = database.configure(topics.run(&place)).args(["-w", "2"]).start();
    topics.wait_for_lag(144);
    assert_eq!(frames(&place), 0);
    assert!(count_rows(&place.database(), "sensor_windows") > 0);
    database.set_done(true);
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0);
    Control::Postgres(database).assert_stored(&place, &Oracle::of(&records[..144]).0);
    let expected = sensors(&records, USUAL);
    assert_table("sensor_windows", &stored(&place)["sensor_windows"], &expected.windows);
}

/// A missing row counts as false, and that is said.
#[test]
fn a_migration_state_without_a_row() {
    let (place, topics, database) = (Place::new(), Topics::new(), Server::shared().database());
    database.execute("DELETE FROM migration_state");
    topics.produce(&Scene::vehicles(4).records);
    let run = database.configure(topics.run(&place)).start();
    sleep(Duration::from_secs(3));
    assert_eq!(topics.lag(), 12);
    database.execute("INSERT INTO migration_state VALUES (true)");
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0).says(&["migration_state has no row"]);
}

/// A stall is listed within a second or so, and no longer once it is over.
#[test]
fn stalls_are_listed_while_they_last() {
    for control in Control::both() {
        let mut scene = Scene::vehicles(24);
        scene.send(FRAMES, 3, &frame("f-untracked", "t-untracked", 5));
        scene.send(FRAMES, 5, &frame("f-broken", "t-vehicle-5", 6)).payload = Some("{\"frameId\": 7}".to_owned());
        let (place, topics) = (Place::new(), Topics::new());
        topics.produce(&scene.records);
        let run = control.configure(topics.run(&place)).start();
        topics.wait_for_lag(2);
        sleep(Duration::from_millis(1_200));
        let both = vec![(FRAMES.to_owned(), 3, 1), (FRAMES.to_owned(), 5, 1)];
        assert_eq!(control.listed(&place, &topics), both);
        let table = control.stalls(&place, &topics, &[]).end().expect(3).stdout;
        for text in ["t-untracked", "{\\\"frameId\\\": 7}", "frameId", "reason"] {
            assert!(table.contains(text), "{text} in {table}");
        }
        match &control {
            Control::Embedded => place.store().put_mapping("t-untracked", "0a0a0a0a-0000-4000-8000-000000000001"),
            Control::Postgres(database) => {
                database.put_mapping("t-untracked", "0a0a0a0a-0000-4000-8000-000000000001");
            }
        }
        topics.wait_for_lag(1);
        sleep(Duration::from_millis(1_200));
        assert_eq!(control.listed(&place, &topics), both[1..]);
        run.terminate();
        run.end().expect(0);
        assert_eq!(control.listed(&place, &topics), both[1..], "it still stands, though nobody reads");
    }
}

/// A control store that somebody made by hand, without the table of stalls: only the list is missing.
#[test]
fn without_a_table_of_stalls_records_go_on() {
    let (place, topics, database) = (Place::new(), Topics::new(), Server::shared().database());
    database.execute("DROP TABLE stalled_partitions");
    let records = Scene::vehicles(24).records;
    topics.produce(&records);
    let run = database.configure(topics.run(&place)).start();
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0).says(&["cannot write stalled_partitions", "run `hexflow migrate`"]);
}
