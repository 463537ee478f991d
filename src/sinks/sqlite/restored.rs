//! The embedded store's tables, as a run reads them that goes on from them.

use anyhow::{Context, Result, anyhow};
use rusqlite::types::{FromSql, ValueRef};
use rusqlite::{Connection, Row};

use crate::restored::{Tables, Values};

/// A table that is not there has no rows: a store that is only read may be of an earlier version.
impl Tables for Connection {
    fn rows<T>(
        &mut self,
        table: &str,
        columns: &str,
        condition: &str,
        read: impl Fn(&mut dyn Values) -> Option<T>,
    ) -> Result<Vec<T>> {
        let select = format!("SELECT {columns} FROM {table} WHERE {condition}");
        let rows = || -> Result<Vec<T>> {
            if !self.table_exists(None, table)? {
                return Ok(Vec::new());
            }
            let mut select = self.prepare(&select)?;
            let (mut rows, mut found) = (select.raw_query(), Vec::new());
            while let Some(row) = rows.next()? {
                let mut cursor = Cursor { row, next: 0, problem: None };
                let value = read(&mut cursor);
                let problem = || cursor.problem.map_or_else(|| anyhow!("a row is not understood"), Into::into);
                found.push(value.ok_or_else(problem)?);
            }
            Ok(found)
        };
        rows().with_context(|| format!("cannot read the table {table} to go on from it"))
    }

    fn time(&self, ms: i64) -> String {
        ms.to_string()
    }
}

/// A row, and how far it was read.
struct Cursor<'a, 'b> {
    row: &'a Row<'b>,
    next: usize,
    /// What is wrong with it.
    problem: Option<rusqlite::Error>,
}

impl Cursor<'_, '_> {
    fn take<V: FromSql>(&mut self) -> Option<V> {
        let value = self.row.get(self.next);
        self.next += 1;
        value.map_err(|problem| self.problem = Some(problem)).ok()
    }
}

impl Values for Cursor<'_, '_> {
    fn is_null(&mut self) -> Option<bool> {
        let is_null = self.row.get_ref(self.next).ok()? == ValueRef::Null;
        self.next += usize::from(is_null);
        Some(is_null)
    }

    fn text(&mut self) -> Option<String> {
        self.take()
    }

    fn integer(&mut self) -> Option<i64> {
        self.take()
    }

    fn number(&mut self) -> Option<u32> {
        self.take()
    }

    fn real(&mut self) -> Option<f64> {
        self.take()
    }
}
