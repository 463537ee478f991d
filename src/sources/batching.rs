//! When a batch is full: at a number of records, or at an age of the first of them, whichever comes first.
//!
//! The rule knows no clock: whoever fills the batch says what time it is. So any source can share it, and a test can tell it
//! whatever story it likes. Time is counted from the first record's arrival, not from the previous batch: a record waits at
//! most `linger` here, however quiet the source is.

use std::time::{Duration, Instant};

/// When a batch is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batching {
    /// Records in a full batch; at least 1.
    pub batch_size: usize,
    /// How long the first record of a batch may wait for others.
    pub linger: Duration,
}

impl Default for Batching {
    fn default() -> Self {
        Batching { batch_size: 500, linger: Duration::from_millis(100) }
    }
}

/// How full a batch is.
#[derive(Clone, Copy, Debug)]
pub struct Filling {
    rule: Batching,
    count: usize,
    /// When its first record came.
    since: Option<Instant>,
}

impl Filling {
    /// An empty batch.
    pub fn new(rule: Batching) -> Self {
        Filling { rule, count: 0, since: None }
    }

    /// The number of records in it.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many more records it takes.
    pub fn room(&self) -> usize {
        self.rule.batch_size.max(1).saturating_sub(self.count)
    }

    /// A record came at `arrived`.
    pub fn add(&mut self, arrived: Instant) {
        self.count += 1;
        self.since.get_or_insert(arrived);
    }

    /// When the batch has to go although it is not full; `None` while it is empty.
    pub fn due_at(&self) -> Option<Instant> {
        self.since.map(|since| since + self.rule.linger)
    }

    /// Whether it has to go: it is full, or its first record has waited long enough.
    pub fn is_due(&self, now: Instant) -> bool {
        self.room() == 0 || self.due_at().is_some_and(|due| due <= now)
    }

    /// The batch has gone: how many records it held.
    pub fn take(&mut self) -> usize {
        self.since = None;
        std::mem::take(&mut self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Batching = Batching { batch_size: 3, linger: Duration::from_millis(100) };

    #[test]
    fn a_batch_goes_when_full_however_young() {
        let (mut batch, now) = (Filling::new(RULE), Instant::now());
        for left in [3, 2, 1] {
            assert_eq!((batch.room(), batch.is_due(now)), (left, false));
            batch.add(now);
        }
        assert!(batch.is_due(now));
        assert_eq!((batch.take(), batch.len(), batch.room()), (3, 0, 3));
        assert!(!batch.is_due(now));
    }

    #[test]
    fn a_batch_goes_when_its_first_record_has_waited_however_late_the_last_came() {
        let (mut batch, start) = (Filling::new(RULE), Instant::now());
        let ms = |n| start + Duration::from_millis(n);
        batch.add(ms(10));
        batch.add(ms(105));
        assert_eq!(batch.due_at(), Some(ms(110)));
        assert!(!batch.is_due(ms(109)) && batch.is_due(ms(110)));
        assert_eq!(batch.take(), 2);
        batch.add(ms(300));
        assert_eq!(batch.due_at(), Some(ms(400)), "the age of a batch is its own");
    }

    #[test]
    fn an_empty_batch_never_goes() {
        let batch = Filling::new(RULE);
        assert!(batch.is_empty() && batch.due_at().is_none());
        assert!(!batch.is_due(Instant::now() + Duration::from_secs(3_600)));
    }

    #[test]
    fn without_linger_or_size_each_record_is_a_batch() {
        let now = Instant::now();
        for rule in [Batching { linger: Duration::ZERO, ..RULE }, Batching { batch_size: 0, ..RULE }] {
            let mut batch = Filling::new(rule);
            batch.add(now);
            assert!(batch.is_due(now));
        }
    }
}
