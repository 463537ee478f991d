//! What is on its way: readings by the time of their arrival.
//!
//! What is held depends on how many are late a second of event time, times how late they are on average, a ninth of the
//! longest lateness; not on how many there are in all.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::generate::envelope::Cause;

/// A reading on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pending<R> {
    /// When it arrives, ms since the epoch.
    pub(super) due_ms: i64,
    /// Why it does.
    pub(super) cause: Cause,
    /// Bits of the request id.
    pub(super) request: u64,
    /// What it tells.
    pub(super) reading: R,
}

/// In the order of arrival, then of being posted.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry<R> {
    due_ms: i64,
    order: u64,
    pending: Pending<R>,
}

/// The readings that are on their way.
#[derive(Debug)]
pub(super) struct Transit<R> {
    entries: BinaryHeap<Reverse<Entry<R>>>,
    posted: u64,
}

impl<R: Ord> Default for Transit<R> {
    fn default() -> Self {
        Transit { entries: BinaryHeap::new(), posted: 0 }
    }
}

impl<R: Copy + Ord> Transit<R> {
    /// Takes a reading along.
    pub(super) fn post(&mut self, pending: Pending<R>) {
        self.entries.push(Reverse(Entry { due_ms: pending.due_ms, order: self.posted, pending }));
        self.posted += 1;
    }

    /// The next reading that arrives by `until_ms`.
    pub(super) fn take(&mut self, until_ms: i64) -> Option<Pending<R>> {
        self.entries.peek().filter(|next| next.0.due_ms <= until_ms)?;
        self.entries.pop().map(|next| next.0.pending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_arrive_in_time_and_in_the_order_of_posting() {
        let mut transit = Transit::default();
        for (due_ms, reading) in [(5, 'c'), (3, 'b'), (5, 'a'), (9, 'd')] {
            transit.post(Pending { due_ms, cause: Cause::Late, request: 0, reading });
        }
        let taken: Vec<char> = std::iter::from_fn(|| transit.take(5)).map(|pending| pending.reading).collect();
        assert_eq!(taken, ['b', 'c', 'a']);
        assert_eq!(transit.take(i64::MAX).map(|pending| pending.reading), Some('d'));
        assert!(transit.take(i64::MAX).is_none());
    }
}
