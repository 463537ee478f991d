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
    /// Partitions that stand still.
    pub stalls: AtomicU64,
}

impl Progress {
    /// A record was read, `first` if for the first time.
    pub fn saw(&self, event_ms: i64, first: bool) {
        if first {
            self.records.fetch_add(1, Relaxed);
            self.event_ms.fetch_max(event_ms, Relaxed);
        }
    }

    /// A record of a topic that no pipeline reads went by, `first` if for the first time.
    pub fn pass_over(&self, first: bool) {
        self.passed_over.fetch_add(u64::from(first), Relaxed);
    }
}
