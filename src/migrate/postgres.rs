//! The control tables in PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use super::Target;
use super::step::{State, Step};
use crate::config::SecretUrl;
use crate::control::postgres::Postgres;
use crate::control::postgres::schema::{FIRST_STATE, TABLES, Table};
use crate::control::store::Answer;
use crate::patience::Failure;

const COLUMNS: &str = "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns \
                       WHERE table_schema = current_schema()";

/// The columns of each unique key, in their order.
const KEYS: &str = "SELECT t.relname::text, array_agg(a.attname::text ORDER BY k.place) FROM pg_index i \
                    JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace \
                    CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k(number, place) \
                    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number \
                    WHERE n.nspname = current_schema() AND i.indisunique AND i.indpred IS NULL \
                    GROUP BY t.relname, i.indexrelid";

/// The tables of one database.
pub struct Tables {
    url: SecretUrl,
    name: String,
}

/// What stands in the database.
struct There {
    /// Types by table and column.
    columns: BTreeMap<String, BTreeMap<String, String>>,
    /// Unique keys, by table.
    keys: BTreeSet<(String, Vec<String>)>,
    /// Whether `migration_state` has a row.
    has_state: bool,
}

impl Tables {
    /// Of a server; nothing is sent yet. Fails if the address cannot be one.
    pub fn new(url: &SecretUrl) -> Result<Self> {
        let name = Postgres::new(url).map_err(Failure::told)?.shown().to_owned();
        Ok(Tables { url: url.clone(), name })
    }

    fn ask<T>(&self, what: &str, ask: impl FnOnce(&mut Postgres) -> Answer<T>) -> Result<T> {
        let answer = Postgres::new(&self.url).and_then(|mut server| ask(&mut server));
        answer.map_err(|failure| failure.asked_once().told_of(what, &self.name))
    }
}

/// Fails unless all that a run needs is there.
pub fn check(url: &SecretUrl) -> Result<()> {
    for Step { what, state } in Tables::new(url)?.plan()? {
        match state {
            State::Stands => {}
            State::Missing(_) => bail!("there is no {what}: run `hexflow migrate` to make what is missing"),
            State::Differs(ways) => bail!("{what}: {}: alter it", ways.join(", ")),
        }
    }
    Ok(())
}

impl Target for Tables {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn plan(&self) -> Result<Vec<Step>> {
        let there = self.ask("look at the tables", look)?;
        let state = |table: &Table| match there.columns.get(table.name) {
            None => State::Missing(table.create.to_owned()),
            Some(columns) => {
                let ways = wrong(table, columns, &there.keys);
                if ways.is_empty() { State::Stands } else { State::Differs(ways) }
            }
        };
        let tables = TABLES.iter().map(|table| Step { what: format!("table {}", table.name), state: state(table) });
        let mut steps: Vec<Step> = tables.collect();
        let what = "row of migration_state: false, so citylens is not read until it is true";
        let state = if there.has_state { State::Stands } else { State::Missing(FIRST_STATE.to_owned()) };
        let what = if there.has_state { "row of migration_state" } else { what };
        steps.push(Step { what: what.to_owned(), state });
        Ok(steps)
    }

    fn make(&self, statement: &str) -> Result<()> {
        let what = statement.lines().next().unwrap_or_default().trim_end_matches(" (").to_lowercase();
        self.ask(&what, |server| server.ask(|client| client.batch_execute(statement)))
    }
}

fn look(server: &mut Postgres) -> Answer<There> {
    server.ask(|client| {
        let mut columns: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for row in client.query(COLUMNS, &[])? {
            columns.entry(row.try_get(0)?).or_default().insert(row.try_get(1)?, row.try_get(2)?);
        }
        let keys = client.query(KEYS, &[])?;
        let keys = keys.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, _>>()?;
        let mut has_state = false;
        if columns.contains_key("migration_state") {
            has_state = client.query_one("SELECT EXISTS (SELECT FROM migration_state)", &[])?.try_get(0)?;
        }
        Ok(There { columns, keys, has_state })
    })
}

/// How a table differs from what it must be.
fn wrong(table: &Table, columns: &BTreeMap<String, String>, keys: &BTreeSet<(String, Vec<String>)>) -> Vec<String> {
    let mut ways = Vec::new();
    for (name, types) in table.columns {
        match columns.get(*name) {
            None => ways.push(format!("it has no column {name}")),
            Some(kind) if !types.contains(&kind.as_str()) => {
                ways.push(format!("column {name} is {kind}, not {}", types.join(" or ")));
            }
            Some(_) => {}
        }
    }
    for key in table.keys {
        let key: Vec<String> = key.iter().map(|column| (*column).to_owned()).collect();
        let has_columns = key.iter().all(|column| columns.contains_key(column));
        if has_columns && !keys.contains(&(table.name.to_owned(), key.clone())) {
            ways.push(format!("it has no unique key ({})", key.join(", ")));
        }
    }
    ways
}
