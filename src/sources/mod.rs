//! Where records come from.

pub mod dump;
