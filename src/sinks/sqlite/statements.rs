//! The statements that write a table's rows, a group of them at a time.

use anyhow::Result;
use rusqlite::{CachedStatement, Connection};

use super::block::Block;

/// Rows in a group: enough that what a statement costs beside its rows is little.
pub const GROUP: usize = 16;

/// Inserts rows.
pub struct Insert<'s> {
    group: CachedStatement<'s>,
    single: CachedStatement<'s>,
}

impl<'s> Insert<'s> {
    /// Of values in the order of `columns`; `conflict` is what to do about a row that stands.
    pub fn new(store: &'s Connection, table: &str, columns: &[&str], conflict: &str) -> Result<Self> {
        let row = format!("({})", vec!["?"; columns.len()].join(", "));
        let insert = |rows: usize| {
            let rows = vec![row.as_str(); rows].join(", ");
            store.prepare_cached(&format!("INSERT INTO {table} ({}) VALUES {rows} {conflict}", columns.join(", ")))
        };
        Ok(Insert { group: insert(GROUP)?, single: insert(1)? })
    }

    /// Writes at most a group of rows, each named by its block and its number there; says how many changed the table.
    pub fn write<'a>(&mut self, rows: impl ExactSizeIterator<Item = (&'a Block, usize)>) -> Result<usize> {
        if rows.len() == GROUP {
            bind(&mut self.group, rows)?;
            return Ok(self.group.raw_execute()?);
        }
        let mut changed = 0;
        for row in rows {
            bind(&mut self.single, std::iter::once(row))?;
            changed += self.single.raw_execute()?;
        }
        Ok(changed)
    }
}

/// Binds the values of rows, one after the other.
pub fn bind<'a>(statement: &mut CachedStatement<'_>, rows: impl Iterator<Item = (&'a Block, usize)>) -> Result<()> {
    let values = rows.flat_map(|(block, row)| block.row(row));
    for (value, place) in values.zip(1..) {
        statement.raw_bind_parameter::<usize, _>(place, value)?;
    }
    Ok(())
}
