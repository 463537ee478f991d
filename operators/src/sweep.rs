//! When hand-written state frees what it has forgotten.

/// When state is to be swept: seldom enough that it costs little, often enough that little is kept for nothing.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    step_ms: i64,
    next_ms: i64,
}

impl Sweep {
    /// Sixteen times in `horizon_ms` of event time, so that memory is at most a sixteenth above what is needed.
    pub fn new(horizon_ms: i64) -> Self {
        Sweep { step_ms: (horizon_ms / 16).max(1), next_ms: i64::MIN }
    }

    /// Whether it is time, now that the floor is at `floor_ms`.
    pub fn is_due(&mut self, floor_ms: i64) -> bool {
        let due = floor_ms >= self.next_ms;
        if due {
            self.next_ms = floor_ms.saturating_add(self.step_ms);
        }
        due
    }
}
