//! A change of a table, for whatever sink keeps it.

use serde::{Deserialize, Serialize};

/// What now stands under a primary key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change<K, R> {
    /// The primary key.
    pub key: K,
    /// The other columns; `None` if the row is to be deleted.
    pub row: Option<R>,
}
