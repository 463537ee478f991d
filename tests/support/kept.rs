//! A place whose windows and alerts are kept in one of the stores that a run goes on from.

use std::collections::BTreeMap;

use super::clickhouse::{Database, Server};
use super::kafka::Topics;
use super::place::Place;
use super::run::{Run, wait_until};
use super::windows::{Rows, stored, stored_in};

/// A store that a run goes on from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Store {
    Sqlite,
    ClickHouse,
}

/// All of them.
pub(crate) const STORES: [Store; 2] = [Store::Sqlite, Store::ClickHouse];

/// A fresh place and its store.
pub(crate) struct Kept {
    pub(crate) place: Place,
    database: Option<Database>,
}

impl Kept {
    pub(crate) fn new(store: Store) -> Kept {
        let database = match store {
            Store::Sqlite => None,
            Store::ClickHouse => Some(Server::shared().database()),
        };
        Kept { place: Place::new(), database }
    }

    /// `replay` into the store, with the summary as JSON; the paths are to be added.
    pub(crate) fn replay(&self) -> Run {
        match &self.database {
            None => self.place.replay(),
            Some(database) => database.configure(self.place.replay_into("clickhouse")),
        }
    }

    /// `run` into the store.
    pub(crate) fn run(&self, topics: &Topics) -> Run {
        match &self.database {
            None => topics.run(&self.place),
            Some(database) => database.configure(topics.run_into(&self.place, "clickhouse")),
        }
    }

    /// The tables, as a reader has them who knows nothing of how they are written.
    pub(crate) fn tables(&self) -> BTreeMap<&'static str, Rows> {
        match &self.database {
            None => stored(&self.place),
            Some(database) => stored_in(database),
        }
    }

    /// How many rows a table holds; none before it is made.
    pub(crate) fn count(&self, table: &str) -> usize {
        let count = match &self.database {
            None => u64::try_from(super::store::count_rows(&self.place.database(), table)).unwrap_or(0),
            Some(database) => database.count(table),
        };
        usize::try_from(count).expect("small")
    }

    /// Starts a run and kills it as soon as a table holds so many rows; whether it was still under way.
    pub(crate) fn kill_at(&self, table: &str, rows: usize, run: Run) -> bool {
        let mut run = run.start();
        wait_until("rows in the store", || run.has_ended() || self.count(table) >= rows);
        run.kill().code.is_none()
    }
}
