//! PostgreSQL as the control store.

pub mod address;
pub mod connection;
pub mod failure;
pub mod mapping;
pub mod schema;
pub mod tables;

pub use connection::Postgres;
