//! Reads a store that is being written, as its readers would.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use hexflow::clickhouse::Server;
use hexflow::config::Config;
use hexflow::patience::Failure;
use rusqlite::{Connection, OpenFlags};

use super::work::Work;

/// Keys in one query: SQLite takes no compound of more than 500 selects.
const KEYS: usize = 400;

/// Where rows go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// The embedded store.
    Sqlite,
    /// ClickHouse.
    ClickHouse,
}

impl Store {
    /// Its name in figures.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Store::Sqlite => "sqlite",
            Store::ClickHouse => "clickhouse",
        }
    }

    /// What `--store` takes; `folder` is for files.
    pub(crate) fn option(self, folder: &Path) -> String {
        match self {
            Store::Sqlite => format!("sqlite:{}", database(folder).display()),
            Store::ClickHouse => "clickhouse".to_owned(),
        }
    }

    /// A table, by its whole name.
    pub(super) fn table(self, name: &str) -> String {
        match self {
            Store::Sqlite => name.to_owned(),
            Store::ClickHouse => format!("{}.{name}", Config::default().clickhouse.database),
        }
    }

    /// A column of times, as ms since the epoch.
    pub(super) fn ms(self, column: &str) -> String {
        match self {
            Store::Sqlite => column.to_owned(),
            Store::ClickHouse => format!("toUnixTimestamp64Milli({column})"),
        }
    }
}

/// A reader of what a pipeline writes.
pub(crate) struct Reader {
    work: Work,
    open: Open,
}

enum Open {
    Sqlite(Connection),
    ClickHouse(Box<Server>),
}

impl Reader {
    /// Of a ClickHouse at an address, or a file in `folder`.
    pub(crate) fn new(work: Work, store: Store, clickhouse: &str, folder: &Path) -> Result<Self> {
        let open = match store {
            Store::ClickHouse => {
                let mut config = Config::default();
                clickhouse.clone_into(&mut config.clickhouse.url);
                Open::ClickHouse(Box::new(Server::new(&config.clickhouse)?))
            }
            Store::Sqlite => {
                let store = Connection::open_with_flags(database(folder), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
                store.busy_timeout(Duration::from_secs(10))?;
                Open::Sqlite(store)
            }
        };
        Ok(Reader { work, open })
    }

    /// The keys of `keys` whose rows are there.
    pub(crate) fn find(&self, keys: &[&str]) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for some in keys.chunks(KEYS) {
            found.extend(self.texts(&self.work.finds(self.store(), some)?)?);
        }
        Ok(found)
    }

    /// How many records have their rows.
    pub(crate) fn count(&self) -> Result<u64> {
        Ok(self.texts(&self.work.counts(self.store()))?.first().context("a count")?.parse()?)
    }

    fn store(&self) -> Store {
        match self.open {
            Open::Sqlite(_) => Store::Sqlite,
            Open::ClickHouse(_) => Store::ClickHouse,
        }
    }

    /// What a query of one column of texts yields.
    fn texts(&self, query: &str) -> Result<Vec<String>> {
        match &self.open {
            Open::Sqlite(store) => {
                let texts = store.prepare(query)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
                Ok(texts)
            }
            Open::ClickHouse(server) => {
                Ok(server.texts::<1>(query).map_err(Failure::told)?.into_iter().map(|[text]| text).collect())
            }
        }
    }
}

fn database(folder: &Path) -> PathBuf {
    folder.join("hexflow.db")
}
