//! Questions about the windows that a store holds, the same on the command line and over HTTP.
//!
//! ```text
//!   command (hexflow windows), api/windows (HTTP)
//!        |  what was typed, as numbers and texts (parameters)
//!   sensors, cameras, top: a question, checked against the windows that are configured
//!        |  statement: SQL, the same for both stores but for a few words (dialect)
//!   reader: SQLite or ClickHouse, read-only
//!        |  rows, as they come
//!   output: a table, CSV or JSON
//! ```
//!
//! Figures that stand in a row are given as they stand. What a row cannot say is computed: travellers of several sensors or
//! types are counted from their visits ([`travelers`]).

pub mod cameras;
pub mod command;
pub mod dialect;
pub mod output;
pub mod parameters;
pub mod problem;
pub mod reader;
pub mod sensors;
pub mod shape;
pub mod stored;
pub mod top;
pub mod travelers;

pub use problem::Problem;
pub use stored::{Question, Stored};
