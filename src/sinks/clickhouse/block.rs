//! Rows in ClickHouse's binary form: made beforehand, so that the store's one thread need only send them.

use hexflow_operators::Batch;
use hexflow_operators::upsert::Candidate;
use hexflow_operators::versions::Version;

use crate::clickhouse::binary::{Reader, put_text};
use crate::clickhouse::schema::{self, Kind, Table};
use crate::tables::columns::{Column, Columns, Visitor};
use crate::tables::{AuditRow, Tabled};

/// About what a row takes, bytes: buffers seldom grow.
const ROW_BYTES: usize = 256;

/// Rows of one table, each with its version.
pub struct Block {
    /// The table.
    pub table: &'static Table,
    bytes: Vec<u8>,
    /// Where each row begins, and where its key ends.
    places: Vec<(usize, usize)>,
    versions: Vec<Version>,
}

/// A batch of rows, and their audits.
pub struct Prepared {
    /// The rows.
    pub rows: Block,
    /// The audit of each.
    pub audit: Block,
}

/// One row of a block.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    block: &'a Block,
    row: usize,
}

impl Prepared {
    /// Prepares the rows of a batch; `None` where there is no such table.
    pub fn of<R: Tabled>(batch: &Batch<R>) -> Option<Self> {
        let mut rows = Block::with_room(schema::table(R::Row::TABLE)?, batch.len());
        let mut audit = Block::with_room(schema::table(AuditRow::TABLE)?, batch.len());
        for (row, Candidate { version, .. }) in batch.iter().zip(batch.read(R::candidate)) {
            let (meta, row) = (R::meta(row), R::row(row));
            rows.push(&row, version);
            // Of two audits of one key, that of the newer row stands.
            audit.push(&R::audit(meta, &row), version);
        }
        Some(Prepared { rows, audit })
    }
}

impl Block {
    fn with_room(table: &'static Table, rows: usize) -> Self {
        let bytes = Vec::with_capacity(rows * ROW_BYTES);
        Block { table, bytes, places: Vec::with_capacity(rows), versions: Vec::with_capacity(rows) }
    }

    fn push(&mut self, row: &impl Columns, version: Version) {
        let start = self.bytes.len();
        encode(self.table, row, &mut self.bytes);
        self.bytes.extend_from_slice(&version.order.to_le_bytes());
        self.bytes.extend_from_slice(&version.content.to_le_bytes());
        let key = Reader::new(&self.bytes[start..]).texts_as_they_stand(self.table.keys).map_or(0, <[u8]>::len);
        self.places.push((start, start + key));
        self.versions.push(version);
    }

    /// The number of rows.
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// One row.
    pub fn place(&self, row: usize) -> Place<'_> {
        Place { block: self, row }
    }
}

impl<'a> Place<'a> {
    /// The row as it is sent.
    pub fn bytes(&self) -> &'a [u8] {
        let end = self.block.places.get(self.row + 1).map_or(self.block.bytes.len(), |next| next.0);
        &self.block.bytes[self.block.places[self.row].0..end]
    }

    /// The primary key: the texts that the row begins with, as they are sent.
    pub fn key(&self) -> &'a [u8] {
        let (start, end) = self.block.places[self.row];
        &self.block.bytes[start..end]
    }

    /// The row's version.
    pub fn version(&self) -> Version {
        self.block.versions[self.row]
    }
}

/// Appends a row of a table, or of a row the first columns.
pub fn encode(table: &'static Table, row: &impl Columns, to: &mut Vec<u8>) {
    row.visit(&mut Encoder { to, columns: table.columns.iter() });
}

/// Writes a row's values as the table's columns ask.
struct Encoder<'a> {
    to: &'a mut Vec<u8>,
    columns: std::slice::Iter<'static, schema::Column>,
}

impl Encoder<'_> {
    /// What the next column holds; says in the bytes that there is a value, where there might be none.
    #[inline]
    fn next(&mut self, column: Column) -> Kind {
        let next = self.columns.next().filter(|next| next.name == column.name);
        debug_assert!(next.is_some(), "{} is not the table's next column", column.name);
        let Some(next) = next else { return Kind::Text };
        if next.nullable {
            self.to.push(0);
        }
        next.kind
    }
}

impl Visitor for Encoder<'_> {
    #[inline]
    fn null(&mut self, _column: Column) {
        self.columns.next();
        self.to.push(1);
    }

    #[inline]
    fn text(&mut self, column: Column, value: &[u8]) {
        self.next(column);
        put_text(self.to, value);
    }

    #[inline]
    fn integer(&mut self, column: Column, value: i64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the row's field is a u32")]
        match self.next(column) {
            Kind::Number => self.to.extend_from_slice(&(value as u32).to_le_bytes()),
            _ => self.to.extend_from_slice(&value.to_le_bytes()),
        }
    }

    #[inline]
    fn real(&mut self, column: Column, value: f64) {
        self.next(column);
        self.to.extend_from_slice(&value.to_le_bytes());
    }
}
