//! Where the set is read, by the form of `cameras.locations`.

use std::path::{Path, PathBuf};

use super::table::Table;
use super::{Locations, csv, parquet};
use crate::cli;
use crate::config::Config;
use crate::patience::{Failure, Patience};

/// What the name of a table follows.
pub const TABLE: &str = "postgres:";

/// Where the set is.
pub enum Source {
    /// A file: Parquet if its name says so, otherwise CSV.
    File(PathBuf),
    /// A table.
    Table(Box<Table>),
}

impl Source {
    /// Where the configuration has it, if anywhere. Fails if an address cannot be one.
    pub fn of(config: &Config) -> Result<Option<Source>, Failure> {
        let Some(text) = &config.cameras.locations else { return Ok(None) };
        let (Some(table), Some(url)) = (text.strip_prefix(TABLE), &config.postgres.url) else {
            return Ok(Some(Source::File(text.into())));
        };
        Table::new(table, url).map(|table| Some(Source::Table(Box::new(table))))
    }

    /// What it is, as it is told of.
    pub fn shown(&self) -> String {
        match self {
            Source::File(path) => path.display().to_string(),
            Source::Table(table) => table.shown().to_owned(),
        }
    }

    /// Reads the set; what is wrong is told with where, and what to do.
    pub fn read(&mut self) -> Result<Locations, String> {
        match self {
            Source::File(path) => file(path),
            Source::Table(table) => {
                table.read().map_err(|failure| failure.told_of("read cameras.locations", table.shown()).to_string())
            }
        }
    }

    /// Reads the set when a run begins: waits while a server is away.
    fn first(&mut self, config: &Config) -> Result<Locations, cli::Failure> {
        match self {
            Source::File(path) => file(path).map_err(cli::Failure::usage),
            Source::Table(table) => {
                let mut patience = Patience::new(table.shown().to_owned(), config.retry_interval);
                Ok(patience.until_answered("read cameras.locations", |_| table.read())?)
            }
        }
    }
}

fn file(path: &Path) -> Result<Locations, String> {
    let is_parquet = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"));
    let read = if is_parquet { parquet::read(path) } else { csv::read(path) };
    read.map_err(|problem| format!("cannot read cameras.locations: {problem}"))
}

/// The set with which a run begins; empty if the configuration has none.
pub fn read(config: &Config) -> Result<Locations, cli::Failure> {
    let source = Source::of(config).map_err(|failure| cli::Failure::usage(failure.told()))?;
    source.map_or_else(|| Ok(Locations::default()), |mut source| source.first(config))
}
