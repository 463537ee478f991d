//! Where the SQL of the two stores differs: names, times, texts, types; and how SQLite finds a range of time without an index
//! on it.

use crate::clickhouse::sql;

/// What a column of an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number; nothing reads as 0.
    Integer,
    /// A number or nothing.
    Real,
    /// A text.
    Text,
}

/// A statement, and what the columns of its answer hold.
#[derive(Clone, Debug)]
pub struct Statement {
    /// SQL.
    pub text: String,
    /// The kinds of its columns.
    pub kinds: Vec<Kind>,
}

/// A store's way to say things.
#[derive(Clone, Debug)]
pub enum Dialect {
    /// Times are ms since the epoch.
    Sqlite,
    /// Times are DateTime64(3).
    ClickHouse {
        /// The database that holds the tables.
        database: String,
    },
}

impl Dialect {
    /// `SELECT` of some expressions, which are named `c0`, `c1` and so on; `rest` is what follows.
    pub fn select(&self, columns: &[(Kind, &str)], rest: &str) -> Statement {
        let each = columns.iter().enumerate().map(|(at, (kind, column))| match (self, kind) {
            (Dialect::Sqlite, _) => format!("{column} AS c{at}"),
            (Dialect::ClickHouse { .. }, Kind::Integer) => format!("toInt64(ifNull({column}, 0)) AS c{at}"),
            (Dialect::ClickHouse { .. }, Kind::Real) => format!("CAST({column} AS Nullable(Float64)) AS c{at}"),
            (Dialect::ClickHouse { .. }, Kind::Text) => format!("toString({column}) AS c{at}"),
        });
        let text = format!("SELECT {} {rest}", each.collect::<Vec<_>>().join(", "));
        Statement { text, kinds: columns.iter().map(|(kind, _)| *kind).collect() }
    }

    /// A table, to stand after `FROM`.
    pub fn table(&self, table: &str) -> String {
        match self {
            Dialect::Sqlite => table.to_owned(),
            Dialect::ClickHouse { database } => format!("{}.{}", sql::name(database), sql::name(table)),
        }
    }

    /// A table of windows whose primary key is two columns and a time, to stand after `FROM` where a range of time is wanted.
    ///
    /// SQLite has no index on the time alone, and one would cost each write. So the pairs of the two columns are found by
    /// looks into the primary key, each behind what was found before, and the range is read pair by pair. (A comparison of pairs
    /// would look no further than at the first column, and read all its rows.)
    pub fn windows(&self, table: &str, first: &str, second: &str) -> String {
        if let Dialect::ClickHouse { .. } = self {
            return self.table(table);
        }
        format!(
            "(WITH RECURSIVE \
               firsts (a) AS (SELECT MIN({first}) FROM {table} UNION ALL \
                 SELECT (SELECT MIN({first}) FROM {table} WHERE {first} > a) FROM firsts WHERE a IS NOT NULL), \
               pairs (a, b) AS (SELECT a, (SELECT MIN({second}) FROM {table} WHERE {first} = a) FROM firsts \
                 WHERE a IS NOT NULL UNION ALL \
                 SELECT a, (SELECT MIN({second}) FROM {table} WHERE {first} = a AND {second} > b) FROM pairs \
                 WHERE b IS NOT NULL) \
             SELECT a, b FROM pairs WHERE b IS NOT NULL) AS pairs \
             CROSS JOIN {table} AS w ON w.{first} = pairs.a AND w.{second} = pairs.b"
        )
    }

    /// A column of times, as ms since the epoch.
    pub fn ms(&self, column: &str) -> String {
        match self {
            Dialect::Sqlite => column.to_owned(),
            Dialect::ClickHouse { .. } => format!("toUnixTimestamp64Milli({column})"),
        }
    }

    /// An instant, to be compared with a column of times.
    pub fn at(&self, ms: i64) -> String {
        match self {
            Dialect::Sqlite => ms.to_string(),
            Dialect::ClickHouse { .. } => format!("fromUnixTimestamp64Milli(toInt64({ms}))"),
        }
    }

    /// A text. SQLite's own quotes end at a zero byte, so it gets the bytes.
    pub fn text(&self, text: &str) -> String {
        match self {
            Dialect::Sqlite => {
                let bytes = text.bytes().map(|byte| format!("{byte:02x}"));
                format!("CAST(x'{}' AS TEXT)", bytes.collect::<String>())
            }
            Dialect::ClickHouse { .. } => sql::text(text),
        }
    }

    /// ` AND column = value` for each of two columns, a number and a text, that is asked for.
    pub fn only(&self, number: (&str, Option<i64>), text: (&str, Option<&str>)) -> String {
        let number = number.1.map(|value| format!(" AND {} = {value}", number.0));
        let text = text.1.map(|value| format!(" AND {} = {}", text.0, self.text(value)));
        number.into_iter().chain(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn texts_are_what_they_were() {
        let store = Connection::open_in_memory().expect("memory");
        for text in ["", "it's", "a\0b", "\\ \" é 🚗", "'; DROP TABLE x; --"] {
            let select = format!("SELECT {}", Dialect::Sqlite.text(text));
            assert_eq!(store.query_row(&select, [], |row| row.get::<_, String>(0)).as_deref(), Ok(text));
        }
    }

    /// A scan of the whole table would answer the same, and take time with all that was ever stored.
    #[test]
    fn sqlite_reads_a_range_by_the_primary_key() {
        let store = Connection::open_in_memory().expect("memory");
        let table = "CREATE TABLE w_s (k INTEGER, t TEXT, at INTEGER, n INTEGER, PRIMARY KEY (k, t, at)) WITHOUT ROWID";
        store.execute_batch(table).expect("a table");
        let from = Dialect::Sqlite.windows("w_s", "k", "t");
        let only = Dialect::Sqlite.only(("k", Some(3)), ("t", None));
        for only in ["", &only] {
            let explain = format!("EXPLAIN QUERY PLAN SELECT at, SUM(n) FROM {from} WHERE at > 5{only} GROUP BY at");
            let mut plan = store.prepare(&explain).expect("a statement");
            let steps = plan.query_map([], |row| row.get::<_, String>(3)).expect("a plan");
            let steps: Vec<String> = steps.map(|step| step.expect("a step")).collect();
            assert!(steps.iter().any(|step| step.contains("(k=? AND t=? AND at>?)")), "{steps:#?}");
            assert!(steps.iter().any(|step| step.contains("(k=? AND t>?)")), "{steps:#?}");
            let scans = steps.iter().filter(|step| step.starts_with("SCAN w"));
            assert_eq!(scans.collect::<Vec<_>>(), Vec::<&String>::new(), "{steps:#?}");
        }
    }
}
