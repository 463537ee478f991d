//! What a store has kept of sensors and cameras, for a run to go on from: read once, before the run begins, in one way from
//! any store.
//!
//! ```text
//!   a store --> tables (its rows, value by value) --> windows, alerts, marks --> the dataflow's first time
//! ```

pub mod alerts;
pub mod marks;
pub mod tables;
pub mod windows;

pub use tables::{Tables, Value, Values};
