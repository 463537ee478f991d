//! The static set of locations that cameras stand at: where it is read, and how a run follows it.
//!
//! ```text
//!   a CSV file, a Parquet file, a table --> the set --> differences from the set before --> cameras
//!                    ^                                                |
//!                    +--- looked at again each `cameras.refresh` -----+   by the first process of a run
//! ```
//! All three have the columns `geographical_location_oid` and `geographical_location`, and may have others.

pub mod csv;
pub mod pages;
pub mod parquet;
pub mod refresh;
pub mod set;
pub mod source;
pub mod stamp;
pub mod table;

pub use set::Locations;
pub use source::Source;

/// The columns that are read.
pub const COLUMNS: [&str; 2] = ["geographical_location_oid", "geographical_location"];
