//! Which notices all sinks have taken: until then a store keeps them, for a later run to tell again.
//!
//! ```text
//!   notices of a time, numbered --> sinks --> the frontier passes that time --> taken up to the last of these numbers
//! ```
//!
//! A store may have an alert whose notice was never sent: a run was killed between the two. What the store has makes no
//! difference any more, so nothing would ever tell of it.

use std::collections::VecDeque;

use super::changes::Changes;

/// Notices on their way.
#[derive(Debug, Default)]
pub struct Told {
    /// Times, and the last number of each.
    under_way: VecDeque<(u64, i64)>,
    upto: Option<i64>,
}

impl Told {
    /// What an item at `time` tells is on its way; times never fall.
    pub fn sent(&mut self, time: u64, changes: &Changes) {
        self.under_way.extend(changes.notices.last().map(|last| (time, last.number)));
    }

    /// Looks which were taken.
    pub fn look(&mut self, is_done: impl Fn(&u64) -> bool) {
        while let Some((_, number)) = self.under_way.pop_front_if(|(time, _)| is_done(time)) {
            self.upto = Some(number);
        }
    }

    /// The number up to which all were taken, if that has not been said.
    pub fn upto(&mut self) -> Option<i64> {
        self.upto.take()
    }

    /// Whether there is something yet to be said.
    pub fn is_open(&self) -> bool {
        self.upto.is_some() || !self.under_way.is_empty()
    }

    /// The last time of which some are on their way.
    pub fn last(&self) -> Option<u64> {
        self.under_way.back().map(|(time, _)| *time)
    }
}
