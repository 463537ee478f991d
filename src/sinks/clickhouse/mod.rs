//! The ClickHouse store: rows made binary by the workers, versions looked up, what is superseded deleted, the rest inserted.

pub mod block;
pub mod blocks;
pub mod look;
pub mod mend;
pub mod sink;
pub mod upsert;

pub use sink::{ClickHouse, open, stored_mapping};
