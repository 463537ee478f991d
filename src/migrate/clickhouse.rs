//! The database and the tables in ClickHouse.

use std::collections::BTreeMap;

use std::time::Duration;

use anyhow::{Context, Result};
use hexflow_dataflows::pipelines::Pipelines;

use super::Target;
use super::step::{State, Step};
use crate::clickhouse::schema::{Rows, Table, tables};
use crate::clickhouse::{Failure, Server, ddl, sql};
use crate::config::Config;

/// A stop that rows which are in no history yet outlive: they go by the server's clock.
const STOP: Duration = Duration::from_secs(24 * 60 * 60);

/// The tables of one server or one cluster.
pub struct Tables {
    server: Server,
    cluster: Option<String>,
    /// How long recent rows are kept.
    keep: Duration,
}

/// What stands in the database.
struct There {
    /// Engine, sorting key, and the engine with all that it is told, of tables.
    tables: BTreeMap<String, (String, String, String)>,
    /// Types by table and column.
    columns: BTreeMap<(String, String), String>,
}

impl Tables {
    /// Of the configured server; nothing is sent yet.
    pub fn new(config: &Config) -> Result<Self> {
        let server = Server::new(&config.clickhouse).context("cannot start a client of ClickHouse")?;
        // What is detected again as late as it may be must still be known.
        let longer = config.cameras.history.as_ref().map_or(Duration::ZERO, |_| STOP);
        let keep = config.cameras.keep.max(config.cameras.lateness.saturating_add(longer));
        Ok(Tables { server, cluster: config.clickhouse.cluster.clone(), keep })
    }

    fn told<T>(&self, what: &str, answer: std::result::Result<T, Failure>) -> Result<T> {
        let whom = format!("ClickHouse at {}", self.server.url());
        answer.map_err(|failure| failure.asked_once().told_of(what, &whom))
    }
}

impl Target for Tables {
    fn name(&self) -> String {
        let place = self.cluster.as_ref().map(|cluster| format!(", cluster {cluster}")).unwrap_or_default();
        format!("ClickHouse at {}{place}", self.server.url())
    }

    fn plan(&self) -> Result<Vec<Step>> {
        let (database, cluster) = (self.server.database(), self.cluster.as_deref());
        let query = format!("SELECT name FROM system.databases WHERE name = {}", sql::text(database));
        let is_there = !self.told("look for the database", self.server.texts::<1>(&query))?.is_empty();
        let state = if is_there { State::Stands } else { State::Missing(ddl::create_database(database, cluster)) };
        let mut steps = vec![Step { what: format!("database {database}"), state }];
        let there = self.told("look at the tables", look(&self.server))?;
        steps.extend(tables(Pipelines::all()).map(|table| {
            Step {
                what: format!("table {database}.{}", table.name),
                state: state_of(&there, table, cluster, self.keep)
                    .unwrap_or_else(|| State::Missing(ddl::create_table(database, table, cluster, self.keep))),
            }
        }));
        Ok(steps)
    }

    fn make(&self, statement: &str) -> Result<()> {
        let what = statement.lines().next().unwrap_or_default().to_lowercase();
        self.told(&what, self.server.run(statement))
    }
}

/// Finds that all tables of pipelines are there with the columns that rows need, or says which are not.
pub fn check(server: &Server, pipelines: Pipelines) -> std::result::Result<(), Failure> {
    let there = look(server)?;
    let mut wrong = Vec::new();
    for table in tables(pipelines) {
        if there.tables.contains_key(table.name) {
            wrong.extend(wrong_columns(&there, table));
        } else {
            wrong.push(format!("there is no table {}.{}", server.database(), table.name));
        }
    }
    let advice = "run `hexflow migrate` to make what is missing; what differs is for you to correct";
    if wrong.is_empty() { Ok(()) } else { Err(Failure::Final(wrong.join(", "), advice)) }
}

fn look(server: &Server) -> std::result::Result<There, Failure> {
    let database = sql::text(server.database());
    let tables = server.texts::<4>(&format!(
        "SELECT name, engine, replaceRegexpAll(sorting_key, '[`()]', ''), engine_full FROM system.tables \
         WHERE database = {database}"
    ))?;
    let columns =
        server.texts::<3>(&format!("SELECT table, name, type FROM system.columns WHERE database = {database}"))?;
    Ok(There {
        tables: tables.into_iter().map(|[name, engine, key, told]| (name, (engine, key, told))).collect(),
        columns: columns.into_iter().map(|[table, name, kind]| ((table, name), kind)).collect(),
    })
}

/// How it stands with a table; `None` if there is none.
fn state_of(there: &There, table: &Table, cluster: Option<&str>, keep: Duration) -> Option<State> {
    let (engine, key, told) = there.tables.get(table.name)?;
    let mut ways = wrong_columns(there, table);
    let wanted = ddl::engine(cluster).split('(').next().unwrap_or_default();
    if engine != wanted {
        ways.push(format!("its engine is {engine}, not {wanted}"));
    }
    let order = table.key().collect::<Vec<_>>().join(", ");
    if *key != order {
        ways.push(format!("it is ordered by {key}, not by {order}"));
    }
    let ttl = ddl::time_to_live(keep);
    if table.rows == Rows::Recent && !told.contains(&format!("TTL {ttl}")) {
        ways.push(format!("its rows do not go by TTL {ttl}"));
    }
    Some(if ways.is_empty() { State::Stands } else { State::Differs(ways) })
}

/// The columns that rows need and that are not there, or of another type.
fn wrong_columns(there: &There, table: &Table) -> Vec<String> {
    let wrong = |(name, wanted): (&str, String)| match there.columns.get(&(table.name.to_owned(), name.to_owned())) {
        None => Some(format!("table {} has no column {name}", table.name)),
        Some(kind) => (*kind != wanted).then(|| format!("column {}.{name} is {kind}, not {wanted}", table.name)),
    };
    table.typed().filter_map(wrong).collect()
}
