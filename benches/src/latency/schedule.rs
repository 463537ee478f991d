//! When each record arrives: an open loop, whose offered rate the system cannot slow down.
//!
//! Record `n` arrives at its instant whether or not the system is ready for it. What it waits because the system stood still
//! counts as its latency: a schedule that waits for the system would leave exactly that out ("coordinated omission").

use std::time::{Duration, Instant};

/// The instants of arrival.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// When the first record arrives.
    pub(super) start: Instant,
    /// Records a second, of all workers together.
    pub(super) rate: u64,
}

impl Schedule {
    /// When record `n` arrives.
    pub(super) fn arrival(&self, n: u32) -> Instant {
        self.start + Duration::from_nanos(u64::from(n) * 1_000_000_000 / self.rate)
    }

    /// From the start to `now`, in units of [`EPOCH`]; zero before the start.
    pub(super) fn epoch(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.start).as_nanos() / EPOCH.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Epochs are named by the clock, so that workers need no word to each other to close one: finer than batches are short.
const EPOCH: Duration = Duration::from_micros(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_arrive_evenly_whoever_asks_and_when() {
        let schedule = Schedule { start: Instant::now(), rate: 10_000 };
        assert_eq!(schedule.arrival(0), schedule.start);
        assert_eq!(schedule.arrival(10_000), schedule.start + Duration::from_secs(1));
        assert_eq!(schedule.arrival(3) - schedule.arrival(2), Duration::from_micros(100));
        assert_eq!(schedule.epoch(schedule.start - Duration::from_secs(1)), 0);
        assert_eq!(schedule.epoch(schedule.start + Duration::from_millis(7)), 70);
    }
}
