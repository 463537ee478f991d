//! What a process tells of itself: its metrics, its log, and what it waits for.
//!
//! Metrics are of the process, so they are reached from anywhere; nothing but `/metrics` and `/readyz` reads them.

pub mod events;
pub mod labels;
pub mod log;
pub mod metrics;
pub mod process;
pub mod waiting;

pub use metrics::metrics;
