//! What is delivered later: re-deliveries and stale versions, each in its time.
//!
//! Nothing waits longer than a minute of event time, so at most a minute's share of messages is held.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::envelope::Envelope;
use super::random::Random;

/// A message on its way, in the order of its time, then of its being posted.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pending {
    /// When it arrives, ms since the epoch.
    pub(super) due_ms: i64,
    order: u64,
    /// Around the payload.
    pub(super) envelope: Envelope,
    /// As it was posted.
    pub(super) payload: String,
}

/// The messages that are on their way.
#[derive(Debug, Default)]
pub(super) struct Later {
    pending: BinaryHeap<Reverse<Pending>>,
    posted: u64,
    /// Texts to be written over.
    spare: Vec<String>,
}

impl Later {
    /// Posts a message at `at_ms`, to arrive one to sixty seconds later, sooner rather than later.
    pub(super) fn post(&mut self, at_ms: i64, envelope: Envelope, payload: &str, random: &mut Random) {
        let share = random.unit();
        let due_ms = at_ms + 1_000 + (share * share * 59_000.0) as i64;
        let mut text = self.spare.pop().unwrap_or_default();
        text.clear();
        text.push_str(payload);
        self.pending.push(Reverse(Pending { due_ms, order: self.posted, envelope, payload: text }));
        self.posted += 1;
    }

    /// The next message that arrives by `until_ms`.
    pub(super) fn take(&mut self, until_ms: i64) -> Option<Pending> {
        self.pending.peek().filter(|next| next.0.due_ms <= until_ms)?;
        self.pending.pop().map(|next| next.0)
    }

    /// Takes a delivered message's text back.
    pub(super) fn recycle(&mut self, message: Pending) {
        self.spare.push(message.payload);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::envelope::{Cause, Envelope};
    use hexflow_dataflows::messages::topic::Topic;

    #[test]
    fn messages_arrive_in_time_and_within_a_minute() {
        let envelope = Envelope::new(Topic::CitylensFrames, Cause::Duplicate, "org", 1, 2);
        let (mut later, mut random) = (Later::default(), Random::new(1, 0));
        for at in 0..1000 {
            later.post(at, envelope, &at.to_string(), &mut random);
        }
        assert!(later.take(999).is_none());
        let (mut last, mut taken) = (0, 0);
        while let Some(message) = later.take(61_000) {
            let posted: i64 = message.payload.parse().unwrap();
            assert!(message.due_ms >= last && (1_000..=60_000).contains(&(message.due_ms - posted)));
            (last, taken) = (message.due_ms, taken + 1);
            later.recycle(message);
        }
        assert_eq!((taken, later.spare.len()), (1000, 1000));
    }
}
