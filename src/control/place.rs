//! Which control store there is, and the way to it.

use std::path::PathBuf;

use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::store::{Answer, ControlStore};
use crate::config::{Config, SecretUrl};
use crate::replay::args::Store;

/// Where the control tables are.
#[derive(Clone, Debug)]
pub enum Place {
    /// In PostgreSQL.
    Postgres(SecretUrl),
    /// In the embedded store.
    Sqlite {
        /// Its file.
        path: PathBuf,
        /// Whether to make the file if it is not there.
        create: bool,
    },
}

impl Place {
    /// Where they are for `process` of a run into `store`, if anywhere. The first process makes the embedded store.
    pub fn of(config: &Config, store: &Store, process: usize) -> Option<Place> {
        match (&config.postgres.url, store) {
            (Some(url), _) => Some(Place::Postgres(url.clone())),
            (None, Store::Sqlite(path)) => Some(Place::Sqlite { path: path.clone(), create: process == 0 }),
            (None, _) => None,
        }
    }

    /// A connection that is made when it is first used. Fails if the address cannot be one.
    pub fn open(&self) -> Answer<Box<dyn ControlStore>> {
        Ok(match self {
            Place::Postgres(url) => Box::new(Postgres::new(url)?),
            Place::Sqlite { path, create } => Box::new(Sqlite::new(path.clone(), *create)),
        })
    }
}
