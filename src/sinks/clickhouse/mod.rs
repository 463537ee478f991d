//! The ClickHouse store: rows made binary by the workers, versions looked up, what is superseded deleted, the rest inserted.
//!
//! ```text
//!   rows by version   block --> look --> upsert --> mend
//!   windows           changes --> journal (written down whole) --> merged --> apply; `restored` reads them back
//! ```

pub mod apply;
pub mod block;
pub mod blocks;
pub mod changes;
pub mod journal;
pub mod keys;
pub mod look;
pub mod mend;
pub mod merged;
pub mod restored;
pub mod sink;
pub mod statements;
pub mod upsert;

pub use sink::{ClickHouse, open, stored_mapping};
