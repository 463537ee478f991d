//! What a table's columns are, said once: a store visits a row's columns, and never lists them itself.
//!
//! Visiting is straight code: a visitor is a type, not an object, and each column's call is inlined.

use hexflow_dataflows::rows::text;

use super::id::{AxionId, Cell};

/// Text as rows hold it: it was checked to be UTF-8 when it was read, and stores take it as it is.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(pub &'a [u8]);

impl<'a> Text<'a> {
    /// As a string.
    pub fn as_str(self) -> &'a str {
        text(self.0)
    }
}

/// A column, as stores name it.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What stands before its value in a line of JSON: a comma, the name in quotes, a colon.
    pub lead: &'static str,
    /// The same before a text: its quote, too.
    pub text_lead: &'static str,
}

/// A row of a table.
pub trait Columns {
    /// The table's name.
    const TABLE: &'static str;
    /// The table's columns, the primary key first.
    const COLUMNS: &'static [Column];

    /// Shows each column's value to `visitor`, in that order.
    fn visit(&self, visitor: &mut impl Visitor);
}

/// Takes a row's values, one by one.
pub trait Visitor {
    /// Nothing.
    fn null(&mut self, column: Column);
    /// A text, UTF-8.
    fn text(&mut self, column: Column, value: &[u8]);
    /// A whole number; times are ms since the epoch.
    fn integer(&mut self, column: Column, value: i64);
    /// A finite number.
    fn real(&mut self, column: Column, value: f64);
}

/// What a column can hold.
pub trait Value {
    /// Shows itself to `visitor`.
    fn show(&self, column: Column, visitor: &mut impl Visitor);
}

impl<V: Value> Value for Option<V> {
    #[inline(always)]
    fn show(&self, column: Column, visitor: &mut impl Visitor) {
        match self {
            Some(value) => value.show(column, visitor),
            None => visitor.null(column),
        }
    }
}

macro_rules! values {
    ($($value:ty: |$it:ident, $column:ident, $visitor:ident| $show:expr;)*) => {$(
        impl Value for $value {
            #[inline(always)]
            fn show(&self, $column: Column, $visitor: &mut impl Visitor) {
                let $it = self;
                $show
            }
        }
    )*};
}

values! {
    Text<'_>: |value, column, visitor| visitor.text(column, value.0);
    &str: |value, column, visitor| visitor.text(column, value.as_bytes());
    String: |value, column, visitor| visitor.text(column, value.as_bytes());
    AxionId: |value, column, visitor| visitor.text(column, value.as_bytes());
    Cell: |value, column, visitor| visitor.text(column, value.as_bytes());
    i64: |value, column, visitor| visitor.integer(column, *value);
    u32: |value, column, visitor| visitor.integer(column, i64::from(*value));
    f64: |value, column, visitor| visitor.real(column, *value);
}

/// Declares a row: a struct whose fields are the columns of a table.
macro_rules! row {
    ($(#[$note:meta])* $row:ident of $table:ident { $($column:ident: $value:ty,)* }) => {
        $(#[$note])*
        #[derive(Debug)]
        #[cfg_attr(test, derive(serde::Serialize))]
        #[expect(missing_docs, reason = "FORMATS says what the columns are")]
        pub struct $row<'a> {
            $(pub $column: $value,)*
        }

        impl $crate::tables::columns::Columns for $row<'_> {
            const TABLE: &'static str = stringify!($table);
            const COLUMNS: &'static [$crate::tables::columns::Column] = &[$($crate::tables::columns::column!($column)),*];

            #[inline]
            fn visit(&self, visitor: &mut impl $crate::tables::columns::Visitor) {
                $($crate::tables::columns::Value::show(
                    &self.$column,
                    const { $crate::tables::columns::column!($column) },
                    visitor,
                );)*
            }
        }
    };
}

macro_rules! column {
    ($column:ident) => {
        $crate::tables::columns::Column {
            name: stringify!($column),
            lead: concat!(",\"", stringify!($column), "\":"),
            text_lead: concat!(",\"", stringify!($column), "\":\""),
        }
    };
}

pub(crate) use {column, row};
