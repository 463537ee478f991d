//! How far a topic has come: which windows are complete, as far as anybody can tell.
//!
//! ```text
//!   partition's time  m(p) = min { newest event, newest topic time + idle }
//!   judged            min { m(p) : m(p) >= max m - idle } - wait,  never falls
//! ```
//!
//! Windows are not judged when data may no longer come for them, which is after the lateness, but when they are about
//! complete: late data correct what follows from them.

use std::time::Duration;

use hexflow_operators::FixedMap;
use hexflow_operators::watermark;

use crate::marks::Mark;

/// How long data are waited for, ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Windows are judged so much later than they end, in event time.
    pub wait_ms: i64,
    /// A partition that is this much behind the foremost is not waited for.
    pub idle_ms: i64,
}

/// How far partitions have come.
#[derive(Debug)]
pub struct Clock {
    patience: Patience,
    /// Newest event and newest topic time of each partition.
    partitions: FixedMap<u32, (Option<i64>, Option<i64>)>,
    floor_ms: Option<i64>,
    /// What silence adds.
    silence_ms: i64,
}

impl Clock {
    /// Nothing has come yet.
    pub fn new(patience: Patience) -> Self {
        Clock { patience, partitions: FixedMap::default(), floor_ms: None, silence_ms: 0 }
    }

    /// Learns how far reading has come.
    pub fn hear(&mut self, marks: &[Mark]) {
        for mark in marks {
            match *mark {
                Mark::EventTime(watermark::Mark::Clock(partition, at)) => {
                    self.partitions.entry(partition).or_default().0 = Some(at);
                    self.silence_ms = 0;
                }
                Mark::Reached(partition, reached) => self.partitions.entry(partition).or_default().1 = Some(reached.ts),
                Mark::EventTime(watermark::Mark::Floor(at)) => self.floor_ms = Some(at),
                Mark::EventTime(watermark::Mark::Unseen(_)) | Mark::Settled(_) | Mark::Store(_) => {}
            }
        }
    }

    /// Nothing has come for so long, by a clock on the wall: event time goes on with it.
    pub fn silent_for(&mut self, silence: Duration) {
        self.silence_ms = i64::try_from(silence.as_millis()).unwrap_or(i64::MAX);
    }

    /// Windows that end by then are judged.
    pub fn judged_ms(&self) -> Option<i64> {
        let Patience { wait_ms, idle_ms } = self.patience;
        // A record without a topic time says nothing of its event's clock.
        let limit = |ts: Option<i64>| ts.filter(|ts| *ts > 0).map_or(i64::MAX, |ts| ts.saturating_add(idle_ms));
        let times = || self.partitions.values().filter_map(|(event, ts)| Some((*event)?.min(limit(*ts))));
        let idle = times().max()?.saturating_sub(idle_ms);
        let hindmost = times().filter(|time| *time >= idle).min()?;
        let silence_ms = if self.silence_ms > idle_ms { self.silence_ms } else { 0 };
        Some(hindmost.saturating_add(silence_ms).saturating_sub(wait_ms))
    }

    /// No window that ends by then changes any more.
    pub fn floor_ms(&self) -> Option<i64> {
        self.floor_ms
    }
}
