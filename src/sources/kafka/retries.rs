//! When a stalled record is tried again although nobody has said that it can go on: after an interval, then ever later.

use std::time::{Duration, Instant};

use hexflow_operators::FixedMap;

/// How often the interval doubles.
const DOUBLINGS: u32 = 5;

/// The attempts at stalled records, of each partition at its last.
pub struct Retries {
    interval: Duration,
    partitions: FixedMap<u32, Attempts>,
}

struct Attempts {
    offset: u64,
    made: u32,
    next: Instant,
}

impl Retries {
    /// The first attempt comes after `interval`.
    pub fn new(interval: Duration) -> Self {
        Retries { interval, partitions: FixedMap::default() }
    }

    /// The partitions of `halted` whose time it is; each stands at the offset beside it.
    pub fn due(&mut self, halted: Vec<(u32, u64)>, now: Instant) -> Vec<u32> {
        let interval = self.interval;
        let mut is_due = |&(stream, offset): &(u32, u64)| {
            let fresh = || Attempts { offset, made: 0, next: now + interval };
            let attempts = self.partitions.entry(stream).or_insert_with(fresh);
            if attempts.offset != offset {
                *attempts = fresh();
            }
            let due = attempts.next <= now;
            if due {
                attempts.made = (attempts.made + 1).min(DOUBLINGS);
                attempts.next = now + interval * 2_u32.pow(attempts.made);
            }
            due
        };
        halted.into_iter().filter(|one| is_due(one)).map(|(stream, _)| stream).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_comes_later_until_the_partition_stands_elsewhere() {
        let (mut retries, start) = (Retries::new(Duration::from_secs(1)), Instant::now());
        let mut due =
            |offset, seconds| !retries.due(vec![(7, offset)], start + Duration::from_secs(seconds)).is_empty();
        let tried: Vec<u64> = (0..100).filter(|second| due(3, *second)).collect();
        assert_eq!(tried, [1, 3, 7, 15, 31, 63, 95]);
        assert!(!due(4, 100) && due(4, 101));
    }
}
