//! The statements that write a table's rows by version: a row is written if it is new, or newer than the row of its key.

use anyhow::Result;
use hexflow_operators::versions::{Verdict, Version};
use rusqlite::{CachedStatement, Connection};

use super::block::Block;
use super::order::Place;

/// The column beyond FORMATS that all tables written by version have, the last.
pub const ORDER: &str = "source_version";

/// Writes rows of one table.
pub struct Upsert<'s> {
    insert: CachedStatement<'s>,
    standing: CachedStatement<'s>,
    update: CachedStatement<'s>,
}

impl<'s> Upsert<'s> {
    /// For `table`, whose `columns` begin with the primary key, have `updated_at`, and end with [`ORDER`].
    pub fn new(store: &'s Connection, table: &str, columns: &[&str]) -> Result<Self> {
        let pairs = |glue: &str, skip: &[&str]| {
            let kept = columns.iter().zip(1..).skip(1).filter(|(column, _)| !skip.contains(column));
            kept.map(|(column, place)| format!("{column} {glue} ?{place}")).collect::<Vec<_>>()
        };
        let (key, last) = (columns[0], columns.len());
        let same = pairs("IS", &["updated_at", ORDER]).join(" AND ");
        // The last value is named so that each statement binds all of them.
        let standing = format!("SELECT updated_at, {ORDER}, {same} FROM {table} WHERE {key} = ?1 AND ?{last} >= 0");
        let update = format!("UPDATE {table} SET {} WHERE {key} = ?1", pairs("=", &[]).join(", "));
        Ok(Upsert {
            insert: store.prepare_cached(&insert("INSERT", table, columns, "ON CONFLICT DO NOTHING"))?,
            standing: store.prepare_cached(&standing)?,
            update: store.prepare_cached(&update)?,
        })
    }

    /// The verdict is the one that the operator of the same name would give, had it seen all that stands here.
    pub fn write(&mut self, place: Place<'_>) -> Result<Verdict> {
        let Place { from, row } = place;
        if execute(&mut self.insert, &from.rows, row)? == 1 {
            return Ok(Verdict::Upsert);
        }
        let verdict = place.version().judge(&self.standing(place)?);
        if verdict == Verdict::Upsert {
            execute(&mut self.update, &from.rows, row)?;
        }
        Ok(verdict)
    }

    /// The version that stands under a row's key.
    fn standing(&mut self, place: Place<'_>) -> Result<Version> {
        bind(&mut self.standing, &place.from.rows, place.row)?;
        let mut found = self.standing.raw_query();
        let row = found.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        // Of content only its being the same is known; other content of the same order stands.
        let content = if row.get(2)? { place.version().content } else { u64::MAX };
        let order = row.get::<_, i64>(1)?.cast_unsigned();
        Ok(Version { updated_at: row.get(0)?, order, content })
    }
}

/// The text of a statement that inserts one row. Of many rows it would be no faster: SQLite then keeps a copy of each page
/// that it touches, should a later row fail.
pub fn insert(verb: &str, table: &str, columns: &[&str], conflict: &str) -> String {
    let places = vec!["?"; columns.len()].join(", ");
    format!("{verb} INTO {table} ({}) VALUES ({places}) {conflict}", columns.join(", "))
}

/// Executes a statement with the values of a row; returns how many rows it changed.
pub fn execute(statement: &mut CachedStatement<'_>, block: &Block, row: usize) -> Result<usize> {
    bind(statement, block, row)?;
    Ok(statement.raw_execute()?)
}

fn bind(statement: &mut CachedStatement<'_>, block: &Block, row: usize) -> Result<()> {
    for (value, place) in block.row(row).zip(1..) {
        statement.raw_bind_parameter::<usize, _>(place, value)?;
    }
    Ok(())
}
