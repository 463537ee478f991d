//! Rows as the values that SQLite binds: made beforehand, so that the store's one thread need only bind and step.

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::tables::columns::{Column, Columns, Visitor};

/// About what a value has of text, bytes: buffers seldom grow.
const TEXT_BYTES: usize = 12;

/// Values of rows, and the rows they are of.
pub struct Block {
    values: Vec<Value>,
    /// The texts of all values, one after the other.
    text: Vec<u8>,
    /// Where each row's values begin.
    rows: Vec<usize>,
}

/// A value; a text is where it lies in the block's.
#[derive(Clone, Copy)]
enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text { start: u32, end: u32 },
}

/// A value, borrowed from its block.
pub struct Bound<'a>(ValueRef<'a>);

impl Block {
    /// Room for rows of `columns` values.
    pub fn with_room(rows: usize, columns: usize) -> Self {
        Block {
            values: Vec::with_capacity(rows * columns),
            text: Vec::with_capacity(rows * columns * TEXT_BYTES),
            rows: Vec::with_capacity(rows),
        }
    }

    /// Appends a row, and `last` as one more value of it.
    pub fn push(&mut self, row: &impl Columns, last: Option<i64>) {
        self.rows.push(self.values.len());
        row.visit(self);
        self.values.extend(last.map(Value::Integer));
    }

    /// The number of rows.
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    /// The values of a row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = Bound<'_>> {
        let end = self.rows.get(row + 1).copied().unwrap_or(self.values.len());
        self.values[self.rows[row]..end].iter().map(|value| self.bound(*value))
    }

    /// The first value of a row: its key, or of a longer key the first column. A text.
    pub fn key(&self, row: usize) -> &[u8] {
        match self.bound(self.values[self.rows[row]]).0 {
            ValueRef::Text(key) => key,
            _ => &[],
        }
    }

    fn bound(&self, value: Value) -> Bound<'_> {
        Bound(match value {
            Value::Null => ValueRef::Null,
            Value::Integer(value) => ValueRef::Integer(value),
            Value::Real(value) => ValueRef::Real(value),
            Value::Text { start, end } => ValueRef::Text(&self.text[start as usize..end as usize]),
        })
    }

    /// The length of the texts so far. A batch holds some thousand rows of some hundred bytes; only lists of fixes are
    /// long, and they are no column.
    fn mark(&self) -> u32 {
        u32::try_from(self.text.len()).expect("a batch holds less than 4 GiB of text")
    }
}

impl Visitor for Block {
    #[inline]
    fn null(&mut self, _column: Column) {
        self.values.push(Value::Null);
    }

    #[inline]
    fn text(&mut self, _column: Column, value: &[u8]) {
        let start = self.mark();
        self.text.extend_from_slice(value);
        self.values.push(Value::Text { start, end: self.mark() });
    }

    #[inline]
    fn integer(&mut self, _column: Column, value: i64) {
        self.values.push(Value::Integer(value));
    }

    #[inline]
    fn real(&mut self, _column: Column, value: f64) {
        self.values.push(Value::Real(value));
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.0))
    }
}
