//! What epochs change of sensors or cameras, as bytes: made on any thread, handed over whole, and read again by whoever makes
//! the changes, be it a later run.
//!
//! ```text
//!   change  =  verb (a byte), table's name, length, the row in RowBinary; of a row that goes its key alone
//! ```

use super::block::encode;
use super::keys::key;
use crate::clickhouse::binary::{Reader, put_text};
use crate::clickhouse::schema::{self, Table};
use crate::tables::Columns;
use crate::tables::changes::{Changed, Verb};

/// Changes, in order.
#[derive(Default)]
pub struct Changes(Vec<u8>);

/// A change, read.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// What is done.
    pub verb: Verb,
    /// To which table.
    pub table: &'static Table,
    /// The key.
    pub key: &'a [u8],
    /// The row, the key included; nothing but the key where it goes.
    pub row: &'a [u8],
}

impl Changes {
    /// The changes as they are handed over.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Adds what comes after.
    pub fn append(&mut self, mut later: Changes) {
        self.0.append(&mut later.0);
    }
}

impl Changed for Changes {
    fn add<R: Columns>(&mut self, verb: Verb, row: &R) {
        let table = schema::table(R::TABLE);
        debug_assert!(table.is_some(), "there is no table {}", R::TABLE);
        let Some(table) = table else { return };
        self.0.push(verb as u8);
        put_text(&mut self.0, table.name.as_bytes());
        let mut bytes = Vec::new();
        encode(table, row, &mut bytes);
        put_text(&mut self.0, &bytes);
    }
}

/// Reads all changes; `None` if they are none of this version's.
pub fn read(bytes: &[u8]) -> Option<Vec<Change<'_>>> {
    let (mut reader, mut changes) = (Reader::new(bytes), Vec::new());
    while !reader.is_at_end() {
        let verb = reader.byte()?;
        let verb = [Verb::Put, Verb::Delete, Verb::DeleteUpTo].into_iter().find(|known| *known as u8 == verb)?;
        let table = schema::table(std::str::from_utf8(reader.text()?).ok()?)?;
        let row = reader.text()?;
        let key = key(&table.columns[..table.keys], &mut Reader::new(row))?;
        changes.push(Change { verb, table, key, row });
    }
    Some(changes)
}
