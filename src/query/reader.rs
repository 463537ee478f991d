//! Reads rows of a store, without ever writing into it.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use rusqlite::Connection;

use super::Problem;
use super::dialect::{Dialect, Kind, Statement};
use crate::clickhouse::Server;
use crate::clickhouse::binary::Reader as Binary;
use crate::config;
use crate::sinks::sqlite::schema::open_to_read;

/// A value of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of [`Kind::Integer`].
    Integer(i64),
    /// Of [`Kind::Real`].
    Real(Option<f64>),
    /// Of [`Kind::Text`].
    Text(String),
}

impl Value {
    /// The whole number that it is.
    pub fn integer(&self) -> i64 {
        if let Value::Integer(value) = self { *value } else { 0 }
    }

    /// The number that it is, if any.
    pub fn real(&self) -> Option<f64> {
        if let Value::Real(value) = self { *value } else { None }
    }

    /// The text that it is.
    pub fn text(&self) -> &str {
        if let Value::Text(value) = self { value } else { "" }
    }
}

/// A store under way of being read. All statements on SQLite see it as it was at the first.
pub enum Reader {
    /// The embedded store, in a transaction that only reads.
    Sqlite(Connection, PathBuf),
    /// ClickHouse, which has no such thing: a row that is being replaced is absent for a moment.
    ClickHouse(Box<Server>),
}

impl Reader {
    /// Opens the embedded store; a writer in another process or thread neither waits for it nor makes it wait.
    pub fn sqlite(path: &Path) -> Result<Self, Problem> {
        if !path.exists() {
            let (shown, advice) = (path.display(), "name it with --store sqlite:PATH");
            return Err(Problem::Store(anyhow!("there is no store {shown}: {advice}")));
        }
        let store = open_to_read(path).map_err(Problem::Store)?;
        let began = store.execute_batch("BEGIN").with_context(|| format!("cannot read the store {}", path.display()));
        began.map_err(Problem::Store)?;
        Ok(Reader::Sqlite(store, path.to_owned()))
    }

    /// The configured ClickHouse, which is not asked yet.
    pub fn clickhouse(config: &config::ClickHouse) -> Result<Self, Problem> {
        let server = Server::new(config).context("cannot start a client of ClickHouse");
        Ok(Reader::ClickHouse(Box::new(server.map_err(Problem::Store)?)))
    }

    /// How it wants to be asked.
    pub fn dialect(&self) -> Dialect {
        match self {
            Reader::Sqlite(..) => Dialect::Sqlite,
            Reader::ClickHouse(server) => Dialect::ClickHouse { database: server.database().to_owned() },
        }
    }

    /// Hands each row of an answer to `take`, as it comes; ends at the first that it refuses.
    pub fn read(
        &self,
        statement: &Statement,
        mut take: impl FnMut(&[Value]) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        match self {
            Reader::Sqlite(store, path) => read_sqlite(store, statement, &mut take)
                .map_err(|error| Problem::Store(told(&error, path)))
                .and_then(|end| end),
            Reader::ClickHouse(server) => read_clickhouse(server, statement, &mut take),
        }
    }
}

/// What comes of an answer: its end, or what `take` refused.
type End = Result<(), Problem>;

fn read_sqlite(
    store: &Connection,
    statement: &Statement,
    take: &mut impl FnMut(&[Value]) -> End,
) -> rusqlite::Result<End> {
    let mut select = store.prepare(&statement.text)?;
    let (mut rows, mut values) = (select.raw_query(), Vec::with_capacity(statement.kinds.len()));
    while let Some(row) = rows.next()? {
        values.clear();
        for (at, kind) in statement.kinds.iter().enumerate() {
            values.push(match kind {
                Kind::Integer => Value::Integer(row.get::<_, Option<i64>>(at)?.unwrap_or(0)),
                Kind::Real => Value::Real(row.get(at)?),
                Kind::Text => Value::Text(row.get(at)?),
            });
        }
        if let refused @ Err(_) = take(&values) {
            return Ok(refused);
        }
    }
    Ok(Ok(()))
}

/// With what to do about it, where that can be known.
fn told(error: &rusqlite::Error, path: &Path) -> anyhow::Error {
    let advice = if error.to_string().contains("no such table") {
        "; an earlier version made it: `hexflow run` or `replay` with --pipelines sensors,cameras makes what is missing"
    } else {
        ""
    };
    anyhow!("cannot read the store {}: {error}{advice}", path.display())
}

fn read_clickhouse(server: &Server, statement: &Statement, take: &mut impl FnMut(&[Value]) -> End) -> End {
    let mut end = Ok(());
    let answer = server.stream(&statement.text, |bytes| {
        let (mut reader, mut taken) = (Binary::new(bytes), 0);
        while let Some(values) = row(&mut reader, &statement.kinds) {
            taken = bytes.len() - reader.left();
            if let refused @ Err(_) = take(&values) {
                end = refused;
                return None;
            }
        }
        Some(taken)
    });
    answer.map_err(|failure| Problem::Store(failure.asked_once().told_of("read windows", server.url())))?;
    end
}

/// A row in RowBinary, if there is a whole one.
fn row(reader: &mut Binary<'_>, kinds: &[Kind]) -> Option<Vec<Value>> {
    let value = |kind: &Kind| {
        Some(match kind {
            Kind::Integer => Value::Integer(reader.signed()?),
            Kind::Real => Value::Real(reader.maybe_real()?),
            Kind::Text => Value::Text(String::from_utf8_lossy(reader.text()?).into_owned()),
        })
    };
    kinds.iter().map(value).collect()
}
