//! Rows as they are prepared, and the order in which they are written: sorted by key, near enough, since a B-tree takes
//! sorted rows at a fraction of the price of scattered ones.

use hexflow_operators::Batch;
use hexflow_operators::upsert::Candidate;
use hexflow_operators::versions::Version;

use super::block::Block;
use crate::tables::{AuditRow, Columns, Tabled};

/// Rows of one table, with their audits and versions.
pub struct Prepared {
    /// The table.
    pub table: &'static str,
    /// The rows.
    pub rows: Block,
    /// Their audits.
    pub audit: Block,
    versions: Vec<Version>,
}

/// One row of those that were prepared.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Those that it is one of.
    pub from: &'a Prepared,
    /// Its number.
    pub row: usize,
}

impl Prepared {
    /// Prepares the rows of a batch.
    pub fn of<R: Tabled>(batch: &Batch<R>) -> Self {
        let count = batch.len();
        let (rows, audit) =
            (Block::with_room(count, R::Row::COLUMNS.len() + 1), Block::with_room(count, AuditRow::COLUMNS.len()));
        let mut prepared = Prepared { table: R::Row::TABLE, rows, audit, versions: Vec::with_capacity(count) };
        for (row, Candidate { version, .. }) in batch.iter().zip(batch.read(R::candidate)) {
            let (meta, row) = (R::meta(row), R::row(row));
            // SQLite's integers are signed; an order fits, since it has 63 bits.
            prepared.rows.push(&row, Some(version.order.cast_signed()));
            prepared.audit.push(&R::audit(meta, &row), None);
            prepared.versions.push(version);
        }
        prepared
    }

    /// Its rows, in order.
    pub fn places(&self) -> impl Iterator<Item = Place<'_>> {
        (0..self.rows.count()).map(|row| Place { from: self, row })
    }
}

impl Place<'_> {
    /// The row's version.
    pub fn version(&self) -> Version {
        self.from.versions[self.row]
    }
}

/// Sorts rows by the eight bytes of their keys, in the block that `of` names, behind what all keys begin with. Rows of one
/// key stay in order.
pub fn sorted<'a>(places: &[Place<'a>], of: impl Fn(&'a Prepared) -> &'a Block) -> Vec<Place<'a>> {
    let key = |place: &Place<'a>| of(place.from).key(place.row);
    let Some(first) = places.first().map(key) else { return Vec::new() };
    let in_common = |key: &[u8]| first.iter().zip(key).take_while(|(a, b)| a == b).count();
    let common = places.iter().map(|place| in_common(key(place))).min().unwrap_or(0);
    let mut order: Vec<_> = places.iter().map(|place| word(&key(place)[common..])).zip(0..).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, at): (u64, usize)| places[at]).collect()
}

/// The first eight bytes as a number that orders as they do.
fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    let length = bytes.len().min(8);
    word[..length].copy_from_slice(&bytes[..length]);
    u64::from_be_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_order_as_bytes_do() {
        let mut keys = ["", "a", "a\u{0}b", "ab", "b", "zzzzzzzzz", "é"];
        keys.sort_unstable();
        assert!(keys.is_sorted_by_key(|key| word(key.as_bytes())));
    }
}
