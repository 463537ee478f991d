//! How far a run has come, for whoever shows it: plain numbers that threads write and one reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// Numbers of a run under way.
#[derive(Debug, Default)]
pub struct Progress {
    /// Packed bytes read.
    pub bytes: Arc<AtomicU64>,
    /// Records of hexflow's topics read.
    pub records: AtomicU64,
    /// Records of other topics passed over.
    pub passed_over: AtomicU64,
    /// The latest record's time, ms since the epoch.
    pub event_ms: AtomicI64,
    /// The oldest epoch of a live run that some sink has still to make durable; 0 while there is none.
    pub oldest: AtomicU64,
    /// Partitions that stand still.
    pub stalls: AtomicU64,
}

impl Progress {
    /// Records of hexflow's topics were read, the latest at `event_ms`, and others passed over; `first` if for the first time.
    pub fn saw(&self, records: usize, passed_over: usize, event_ms: i64, first: bool) {
        if first {
            self.records.fetch_add(records as u64, Relaxed);
            self.passed_over.fetch_add(passed_over as u64, Relaxed);
            self.event_ms.fetch_max(event_ms, Relaxed);
        }
    }
}
