//! The embedded store: one SQLite file that one process writes.

pub mod block;
pub mod order;
pub mod restored;
pub mod schema;
pub mod sink;
pub mod statements;
pub mod writes;

pub use schema::{mapping_of, open, open_to_read, stored_mapping};
pub use sink::Sqlite;
