//! ClickHouse, as a server to talk to: its tables, how it is asked, and what its errors mean.
//!
//! ```text
//!   schema (what the tables are) --> ddl (how they are made)
//!   server (one question, one answer, in binary) <-- patience (asks until it is answered) <-- failure (is it worth asking again?)
//! ```

pub mod binary;
pub mod ddl;
pub mod failure;
pub mod schema;
pub mod server;
pub mod sql;
pub mod windows;

pub use crate::patience::Failure;
pub use server::Server;
