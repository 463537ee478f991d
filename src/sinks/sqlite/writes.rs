//! What an epoch of sensors or cameras does to the store, prepared: statements, each with the rows that it is executed for.

use anyhow::Result;
use rusqlite::Connection;

use super::block::Block;
use super::statements::{execute, insert};
use crate::tables::changes::{Changed, Verb};
use crate::tables::columns::{Column, Columns};

/// Rows of an epoch that one statement writes, about.
const ROWS: usize = 64;

/// Statements and their rows, in order.
#[derive(Default)]
pub struct Writes(Vec<Write>);

struct Write {
    verb: Verb,
    table: &'static str,
    columns: &'static [Column],
    rows: Block,
}

impl Writes {
    /// Executes all of it. Whoever calls has a transaction open, and commits no half of it.
    pub fn execute(&self, store: &Connection) -> Result<()> {
        for write in &self.0 {
            let mut statement = store.prepare_cached(&write.text())?;
            for row in 0..write.rows.count() {
                execute(&mut statement, &write.rows, row)?;
            }
        }
        Ok(())
    }
}

impl Write {
    fn text(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| column.name).collect();
        if self.verb == Verb::Put {
            return insert("INSERT OR REPLACE", self.table, &names, "");
        }
        let last = names.len() - 1;
        let same = names.iter().enumerate().map(|(at, name)| {
            let upto = self.verb == Verb::DeleteUpTo && at == last;
            format!("{name} {} ?{}", if upto { "<=" } else { "=" }, at + 1)
        });
        format!("DELETE FROM {} WHERE {}", self.table, same.collect::<Vec<_>>().join(" AND "))
    }
}

impl Changed for Writes {
    fn add<R: Columns>(&mut self, verb: Verb, row: &R) {
        let known = |write: &Write| (write.verb, write.table) == (verb, R::TABLE);
        let at = self.0.iter().position(known).unwrap_or_else(|| {
            let rows = Block::with_room(ROWS, R::COLUMNS.len());
            self.0.push(Write { verb, table: R::TABLE, columns: R::COLUMNS, rows });
            self.0.len() - 1
        });
        self.0[at].rows.push(row, None);
    }
}
