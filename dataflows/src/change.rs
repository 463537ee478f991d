//! A change of a table, for whatever sink keeps it.

/// What now stands under a primary key.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<K, R> {
    /// The primary key.
    pub key: K,
    /// The other columns; `None` if the row is to be deleted.
    pub row: Option<R>,
}
