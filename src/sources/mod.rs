//! Where records come from.

pub mod batching;
pub mod dump;
pub mod kafka;
