//! What became of records: numbers that add up, over workers and over time.

use std::ops::AddAssign;

use columnar::Columnar;
use hexflow_operators::Batch;
use hexflow_operators::upsert::Tally;
use serde::{Deserialize, Serialize};
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::dataflow::{Stream, StreamVec};
use timely::progress::Timestamp;

/// Counts of a pipeline's records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Counts {
    /// Records of the pipeline's topics.
    pub records: u64,
    /// Records for another environment.
    pub ignored: u64,
    /// Records that could not be decoded.
    pub malformed: u64,
    /// Those of them that were set aside.
    pub dead_letters: u64,
    /// Records that an operator has had skipped.
    pub skipped: u64,
    /// Rows written.
    pub upserts: u64,
    /// Records whose content stood already.
    pub duplicates: u64,
    /// Records older than what stood.
    pub stale: u64,
    /// Records too late for their windows.
    pub late: u64,
    /// Detections whose location the set does not have, less those whose location it has come to have.
    pub unlocated: i64,
    /// Keys that deduplication remembers, less those that it has forgotten.
    pub remembered: i64,
}

impl Counts {
    /// Records not applied because their partition stands still, the one it stands at included: all that is left over.
    pub fn stalled(&self) -> u64 {
        let settled = self.upserts + self.duplicates + self.stale + self.late;
        let applied = settled + self.ignored + self.dead_letters + self.skipped;
        self.records.saturating_sub(applied)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.records += other.records;
        self.ignored += other.ignored;
        self.malformed += other.malformed;
        self.dead_letters += other.dead_letters;
        self.skipped += other.skipped;
        self.upserts += other.upserts;
        self.duplicates += other.duplicates;
        self.stale += other.stale;
        self.late += other.late;
        self.unlocated += other.unlocated;
        self.remembered += other.remembered;
    }
}

impl From<Tally> for Counts {
    fn from(tally: Tally) -> Self {
        let Tally { upserts, duplicates, stale, remembered } = tally;
        Counts { upserts, duplicates, stale, remembered, ..Counts::default() }
    }
}

/// Extension trait for streams of rows that came too late.
pub trait CountLate<'scope, T: Timestamp> {
    /// How many they are.
    fn count_late(self) -> StreamVec<'scope, T, Counts>;
}

impl<'scope, T: Timestamp, R: Columnar> CountLate<'scope, T> for Stream<'scope, T, Batch<R>> {
    fn count_late(self) -> StreamVec<'scope, T, Counts> {
        self.unary(Pipeline, "CountLate", |_capability, _info| {
            |input, output| {
                input.for_each(|time, batch| {
                    let late = batch.len() as u64;
                    output
                        .session(&time)
                        .give_iterator((late > 0).then(|| Counts { late, ..Counts::default() }).into_iter());
                });
            }
        })
    }
}
