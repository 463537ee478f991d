//! The tables as FORMATS names them: each row described once, written by every store.
//!
//! ```text
//!   rows that flow --> rows (a struct a table) --> columns: name and value, one by one --> JSON, SQL
//! ```

pub mod alerts;
pub mod changes;
pub mod columns;
pub mod id;
pub mod json;
pub mod rows;
pub mod windows;

pub use columns::{Columns, Text, Visitor};
pub use rows::{AuditRow, DetectionRow, FrameRow, SOURCE, Tabled, TrackRow, UPSERT};
