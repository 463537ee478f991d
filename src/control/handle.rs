//! What the feeder and the watch tell each other: a few values, and no waiting.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hexflow_dataflows::decode::Stall;
use hexflow_dataflows::skips::Skips;

/// Both ends of it; cheap to clone. The default is of a run without a control store: open, and nothing to skip.
#[derive(Clone, Default)]
pub struct Handle(Arc<State>);

#[derive(Default)]
struct State {
    closed: AtomicBool,
    skips: Skips,
    partitions: Mutex<Partitions>,
}

/// The partitions of a process.
#[derive(Clone, Default)]
pub struct Partitions {
    /// Those that are assigned to it.
    pub ours: BTreeSet<u32>,
    /// Where those of them stand that stand still.
    pub stalls: Vec<Stall>,
}

impl Handle {
    /// Of a run that reads nothing until it is told that it may.
    pub fn closed() -> Self {
        Handle(Arc::new(State { closed: AtomicBool::new(true), ..State::default() }))
    }

    /// Whether citylens may be read.
    pub fn is_open(&self) -> bool {
        !self.0.closed.load(Relaxed)
    }

    /// Citylens may be read, or may not; says whether that is news.
    pub fn set_open(&self, open: bool) -> bool {
        self.0.closed.swap(!open, Relaxed) == open
    }

    /// The records to skip.
    pub fn skips(&self) -> &Skips {
        &self.0.skips
    }

    /// What the feeder has told last.
    pub fn partitions(&self) -> Partitions {
        self.lock().clone()
    }

    /// The feeder's partitions are these from now on.
    pub fn tell(&self, partitions: Partitions) {
        *self.lock() = partitions;
    }

    fn lock(&self) -> MutexGuard<'_, Partitions> {
        self.0.partitions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
