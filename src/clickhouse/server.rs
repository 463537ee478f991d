//! One question, one answer: the client, its settings and its clock, for a thread that may block.

use std::time::Duration;

use clickhouse::Client;
use clickhouse::error::Error;
use tokio::runtime::{Builder, Runtime};

use super::binary::Reader;
use super::{Failure, sql};
use crate::config::ClickHouse;

/// How long the server may work on one question, s.
const SERVER_SECONDS: u64 = 60;

/// How long an answer is awaited: longer than the server works on it, so that what is asked again is not still under way.
const PATIENCE: Duration = Duration::from_secs(SERVER_SECONDS + 15);

/// What every question is asked with, where the server knows it.
///
/// - An insert of what was deleted must not be taken for a repeat, nor be acknowledged before it is stored.
/// - A delete is waited for; by patch parts it costs a fraction where the tables allow them.
/// - A set of keys is a subquery, which mutations otherwise refuse.
static SETTINGS: &[(&str, &str)] = &[
    ("insert_deduplicate", "0"),
    ("deduplicate_insert", "disable"),
    ("async_insert", "0"),
    ("mutations_sync", "1"),
    ("lightweight_deletes_sync", "1"),
    ("lightweight_delete_mode", "lightweight_update"),
    ("allow_nondeterministic_mutations", "1"),
    ("max_query_size", "33554432"),
];

/// A server.
pub struct Server {
    client: Client,
    runtime: Runtime,
    url: String,
    database: String,
}

impl Server {
    /// The server that is configured; nothing is sent yet. Fails where a runtime cannot be made.
    pub fn new(config: &ClickHouse) -> std::io::Result<Self> {
        let client = Client::default()
            .with_url(&config.url)
            .with_user(&config.user)
            .with_password(config.password.expose())
            .with_setting("max_execution_time", SERVER_SECONDS.to_string());
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Server { client, runtime, url: config.url.clone(), database: config.database.clone() })
    }

    /// Its address, without credentials.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database that holds the tables.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// A table's full name, to stand in a statement.
    pub fn table(&self, table: &str) -> String {
        format!("{}.{}", sql::name(&self.database), sql::name(table))
    }

    /// From now on asks with the settings for writing, those of them that the server knows.
    pub fn prepare_to_write(&mut self) -> Result<(), Failure> {
        let names: Vec<_> = SETTINGS.iter().map(|(name, _)| sql::text(name)).collect();
        let known =
            self.texts::<1>(&format!("SELECT name FROM system.settings WHERE name IN ({})", names.join(",")))?;
        for (name, value) in SETTINGS.iter().filter(|(name, _)| known.iter().any(|[known]| known == *name)) {
            self.client.set_setting(*name, *value);
        }
        Ok(())
    }

    /// Does what a statement says.
    pub fn run(&self, statement: &str) -> Result<(), Failure> {
        self.wait(async { self.client.query_raw(statement).execute().await })
    }

    /// The same; `id` names the statement.
    pub fn run_as(&self, id: &str, statement: &str) -> Result<(), Failure> {
        self.wait(async { self.client.query_raw(statement).with_setting("query_id", id).execute().await })
    }

    /// The answer to a query, in RowBinary.
    pub fn ask(&self, query: &str) -> Result<Vec<u8>, Failure> {
        self.wait(async { Ok(self.client.query_raw(query).fetch_bytes("RowBinary")?.collect().await?.to_vec()) })
    }

    /// The answer to a query, in RowBinary, as it comes: `take` gets what has come and was not taken yet, and says how many
    /// bytes it takes; `None` ends it.
    pub fn stream(&self, query: &str, mut take: impl FnMut(&[u8]) -> Option<usize>) -> Result<(), Failure> {
        let rest = self.wait(async {
            let mut answer = self.client.query_raw(query).fetch_bytes("RowBinary")?;
            let mut rest = Vec::new();
            while let Some(chunk) = answer.next().await? {
                rest.extend_from_slice(&chunk);
                let Some(taken) = take(&rest) else { return Ok(Vec::new()) };
                rest.drain(..taken);
            }
            Ok(rest)
        })?;
        if rest.is_empty() { Ok(()) } else { Err(unreadable()) }
    }

    /// The answer to a query whose `N` columns are all texts.
    pub fn texts<const N: usize>(&self, query: &str) -> Result<Vec<[String; N]>, Failure> {
        let answer = self.ask(query)?;
        let (mut reader, mut rows) = (Reader::new(&answer), Vec::new());
        while !reader.is_at_end() {
            let mut row = [const { String::new() }; N];
            for cell in &mut row {
                let text = reader.text().ok_or_else(unreadable)?;
                *cell = String::from_utf8_lossy(text).into_owned();
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// Inserts rows in RowBinary into a table, all or none; `id` names the statement.
    pub fn insert<'a>(&self, id: &str, into: &str, rows: impl Iterator<Item = &'a [u8]>) -> Result<(), Failure> {
        let statement = format!("INSERT INTO {into} FORMAT RowBinary");
        self.wait(async {
            let mut insert = self.client.insert_formatted_with(statement).with_setting("query_id", id).buffered();
            rows.for_each(|row| insert.write_buffered(row));
            insert.end().await
        })
    }

    fn wait<T>(&self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
        let answer = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, answer).await });
        Ok(answer.map_err(|_| Error::TimedOut).flatten()?)
    }
}

/// Of an answer that is none of ClickHouse's.
pub fn unreadable() -> Failure {
    Failure::Final("an answer that cannot be read".to_owned(), "check clickhouse.url")
}
