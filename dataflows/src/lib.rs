//! hexflow's pipelines, one module each, and the messages and rows that they share.
//!
//! A pipeline is a `build(..)` of one fluent chain over [`hexflow_operators`]. Nothing here does I/O: bytes come in as
//! [`record::Record`]s from whatever source, and rows leave on streams for whatever sink.

pub mod alerts;
pub mod arrivals;
pub mod cameras;
pub mod change;
pub mod citylens;
pub mod counts;
pub mod decode;
pub mod headers;
pub mod late;
pub mod mapping;
pub mod marks;
pub mod messages;
pub mod parse;
pub mod parse_readings;
pub mod pipelines;
pub mod readings;
pub mod record;
pub mod rows;
pub mod sensors;
#[cfg(test)]
mod shared_mapping;
pub mod shared_text;
pub mod skips;
pub mod stalls;
#[cfg(test)]
mod testing;
pub mod time;
