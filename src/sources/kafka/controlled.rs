//! What the control store has to say to the feeder, and is told by it: whether citylens may be read, which records are to be
//! skipped, where partitions stand.

use std::time::{Duration, Instant};

use hexflow_dataflows::pipelines::Pipeline;
use hexflow_dataflows::rows::partition_of_stream;
use hexflow_operators::hold_back::Position;

use super::context::Context;
use super::stalled::Stalled;
use crate::control::handle::Partitions;

/// Time between two words to the control store.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// What was last heard and told.
pub struct Controlled {
    barred: bool,
    told: Instant,
}

impl Default for Controlled {
    fn default() -> Self {
        Controlled { barred: false, told: Instant::now() }
    }
}

impl Controlled {
    /// Whether citylens may not be read yet.
    pub fn is_barred(&self) -> bool {
        self.barred
    }

    /// Whether a partition may not be read yet.
    pub fn bars(&self, stream: u32) -> bool {
        self.barred && needs_mapping(stream)
    }

    /// Hears whether citylens may be read; true if that has changed.
    pub fn hear(&mut self, context: &Context) -> bool {
        let barred = !context.control.is_open();
        std::mem::replace(&mut self.barred, barred) != barred
    }

    /// Tells now and then which partitions are this process's, and where they stand.
    pub fn tell(&mut self, context: &Context, stalled: &Stalled) {
        if self.told.elapsed() < TELL_EVERY {
            return;
        }
        let ledger = context.ledger();
        let ours = ledger.ours().collect();
        let stalls = stalled.standing(|stream| ledger.is_ours(stream));
        context.control.tell(Partitions { ours, stalls });
        self.told = Instant::now();
    }
}

/// Whether a partition is of citylens, whose rows need the mapping: no other waits for its migration.
pub fn needs_mapping(stream: u32) -> bool {
    Pipeline::of(partition_of_stream(stream).0) == Some(Pipeline::Citylens)
}

/// The partitions of `halted`, each with the offset at which it stands, whose record there is to be skipped.
pub fn skipped(context: &Context, halted: &[(u32, u64)]) -> Vec<u32> {
    let skips = context.control.skips().known();
    let is_skipped = |&&(stream, offset): &&(u32, u64)| skips.contains(&Position { stream, offset });
    halted.iter().filter(is_skipped).map(|(stream, _)| *stream).collect()
}
