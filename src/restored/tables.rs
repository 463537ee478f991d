//! Rows of any store, read one by one and value by value.

use anyhow::Result;

/// A store whose tables are read.
pub trait Tables {
    /// The rows of `table` that `condition` holds for, in any order unless that says one. `read` takes the values of
    /// `columns` as they come, and is `None` where one of them is of another kind, which is an error.
    fn rows<T>(
        &mut self,
        table: &str,
        columns: &str,
        condition: &str,
        read: impl Fn(&mut dyn Values) -> Option<T>,
    ) -> Result<Vec<T>>;

    /// A time in ms since the epoch, to stand in a condition.
    fn time(&self, ms: i64) -> String;
}

/// The values of a row, one after the other; `None` where the next is not of the kind that is asked for.
pub trait Values {
    /// Whether the next value, of a column that may hold nothing, is nothing; then it is passed over.
    fn is_null(&mut self) -> Option<bool>;
    /// A text.
    fn text(&mut self) -> Option<String>;
    /// A whole number of 64 bits, or a time in ms since the epoch.
    fn integer(&mut self) -> Option<i64>;
    /// A whole number of 32 bits, not below zero.
    fn number(&mut self) -> Option<u32>;
    /// A finite number.
    fn real(&mut self) -> Option<f64>;
}

impl dyn Values + '_ {
    /// The next value, of the kind that is expected.
    pub fn get<V: Value>(&mut self) -> Option<V> {
        V::read(self)
    }
}

/// What a value can be read as.
pub trait Value: Sized {
    /// Reads the next value.
    fn read(row: &mut (dyn Values + '_)) -> Option<Self>;
}

impl<V: Value> Value for Option<V> {
    fn read(row: &mut (dyn Values + '_)) -> Option<Self> {
        if row.is_null()? { Some(None) } else { V::read(row).map(Some) }
    }
}

macro_rules! values {
    ($($value:ty: $read:ident,)*) => {$(
        impl Value for $value {
            fn read(row: &mut (dyn Values + '_)) -> Option<Self> {
                row.$read()
            }
        }
    )*};
}

values! {
    String: text,
    i64: integer,
    u32: number,
    f64: real,
}
