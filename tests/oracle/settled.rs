//! Which detections nothing changes any more, the plainest way: how far each partition has come, and what was late for it.

use std::collections::BTreeMap;

use super::arrivals::in_order_of_arrival;
use crate::support::record::{CAMERAS, Record};

/// What became of records in event time.
pub(crate) struct Settled {
    /// The records that were not too late.
    pub(crate) in_time: Vec<Record>,
    /// The time below which nothing changes any more, ms since the epoch.
    pub(crate) upto: i64,
}

/// Judges records that may be `lateness` ms late; times are settled in steps of `step` ms. No partition is ever far behind
/// the others, and all that comes is longer than the hour for which partitions are waited for that nothing has come of.
pub(crate) fn settled(records: &[Record], lateness: i64, step: i64) -> Settled {
    let mut clocks: BTreeMap<u32, (i64, i64)> = BTreeMap::new();
    let mut in_time = Vec::new();
    for record in in_order_of_arrival(records, CAMERAS) {
        let detected = record.body()["timestamp_detected"].as_i64().expect("a number");
        let (arrived, clock) = clocks.entry(record.partition).or_insert((i64::MIN, i64::MIN));
        *arrived = (*arrived).max(record.ts);
        // A clock far ahead of its topic is wrong.
        *clock = (*clock).max(detected.min(*arrived + lateness));
        if detected >= *clock - lateness {
            in_time.push(record.clone());
        }
    }
    let hindmost = clocks.values().map(|(_, clock)| *clock).min().expect("partitions");
    let floor = hindmost - lateness;
    Settled { in_time, upto: floor - floor.rem_euclid(step) }
}
