//! Rows that nothing changes any more, handed over once: what a history is made of.
//!
//! ```text
//!   floor of the watermark  --------------------.------|----------->  event time
//!   settled below           |-------------------'  the floor, down to a multiple of the step; never falls
//! ```
//! Where more rows than a few wait to be settled, it is a smaller step: what is settled at once is bounded, whatever the rate.
//!
//! Below the floor nothing is in time, so a row there can change no more, but by a key that is used again or a location that
//! gets another name. Both are held off until the row is settled: until then its key is remembered, and gives way to none;
//! and a location's name is corrected. So a row says in its history what its table says, for good; used again after
//! that, a key names another row, which is another in the windows, too.
//!
//! That a time is settled is a [`Mark`], stored with its epoch. Whoever keeps settled rows must have them durable before the
//! mark is stored; then a later run, which begins with the rows at and above the mark, settles each of the others once more,
//! and no other row.

use std::collections::BTreeMap;

use hexflow_operators::each_epoch::EachEpoch;
use hexflow_operators::{Batch, FixedMap};
use serde::{Deserialize, Serialize};
use timely::Container;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Concat;
use timely::dataflow::operators::generic::operator::{Operator, empty};
use timely::dataflow::operators::vec::{Broadcast, Map};
use timely::dataflow::{Stream, StreamVec};
use timely::order::TotalOrder;
use timely::progress::Timestamp;

use super::changes::StoredDetection;
use super::detections::Detection;
use crate::marks::Mark;
use crate::readings::CameraDetection;

/// When rows are settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// Event time that is settled at once, at most, ms; at least 1.
    pub step_ms: i64,
    /// Rows of all workers that are settled at once, about: where there are as many, it is done sooner.
    pub rows: u64,
}

/// Rows of `camera_detections` of one worker that are settled at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// All rows below this time are settled with these, ms since the epoch.
    pub upto_ms: i64,
    /// The rows by `detection_oid`, in no order.
    pub rows: Vec<(i64, Detection)>,
}

/// Up to when rows are settled, as that rises.
pub(super) struct Settles<'scope, T: Timestamp> {
    /// On each worker, ms since the epoch.
    pub(super) times: StreamVec<'scope, T, i64>,
    /// The same as marks, on the first worker.
    pub(super) marks: StreamVec<'scope, T, Mark>,
}

/// What came, and what was stored.
pub(super) struct Came<'scope, T: Timestamp> {
    /// The floor as it rises, on each worker.
    pub(super) floors: StreamVec<'scope, T, i64>,
    /// Rows at or above it, of any worker.
    pub(super) rows: Stream<'scope, T, Batch<CameraDetection>>,
    /// Rows of an earlier run, at any worker.
    pub(super) restored: StreamVec<'scope, T, StoredDetection>,
    /// How far that had come.
    pub(super) marks: StreamVec<'scope, T, Mark>,
}

/// Follows the floor in steps, if there are any, from where an earlier run had come to. All workers know the same of an
/// epoch, so each comes to the same times by itself.
pub(super) fn settles<'scope, T: Timestamp + TotalOrder>(
    came: Came<'scope, T>,
    steps: Option<Steps>,
) -> Settles<'scope, T> {
    let scope = came.floors.scope();
    let Some(steps) = steps else { return Settles { times: empty(scope), marks: empty(scope) } };
    let settled = came.marks.flat_map(|mark| if let Mark::Settled(ms) = mark { Some(Word::Settled(ms)) } else { None });
    let unit_ms = unit_ms(steps);
    let rows =
        counted(came.rows, unit_ms, |batch, each| batch.read(|columns, row| columns.detected_ms[row]).for_each(each));
    let restored = counted(came.restored, unit_ms, |rows, each| {
        rows.iter().map(|row| row.detection.detected_ms).for_each(each);
    });
    let words = settled.concat(rows).concat(restored).broadcast();
    let (is_first, mut waiting) =
        (scope.index() == 0, Waiting { steps, counts: BTreeMap::new(), settled_ms: i64::MIN });
    let (times, marks) = came.floors.each_epoch(Pipeline, "Settles", words, {
        move |floors, words, times, marks| {
            words.drain(..).for_each(|word| waiting.hear(word));
            let time = floors.drain(..).flatten().max().and_then(|floor_ms| waiting.settle(floor_ms));
            times.extend(time);
            marks.extend(time.filter(|_| is_first).map(Mark::Settled));
        }
    });
    Settles { times, marks }
}

/// What all workers are told of an epoch.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Word {
    /// Up to when an earlier run has settled rows, ms since the epoch.
    Settled(i64),
    /// So many rows came in a unit of event time.
    Count(i64, u64),
}

/// What times are counted in: parts of a step.
fn unit_ms(steps: Steps) -> i64 {
    (steps.step_ms / 360).max(1)
}

/// Says how many rows came of each unit of event time; `times` shows when they were, ms since the epoch.
fn counted<'scope, T: Timestamp, C: Container>(
    rows: Stream<'scope, T, C>,
    unit_ms: i64,
    times: impl Fn(&mut C, &mut dyn FnMut(i64)) + 'static,
) -> StreamVec<'scope, T, Word> {
    rows.unary(Pipeline, "CountTimes", |_capability, _info| {
        let mut counts = FixedMap::<i64, u64>::default();
        move |input, output| {
            input.for_each(|time, rows| {
                times(rows, &mut |ms| *counts.entry(ms.div_euclid(unit_ms)).or_default() += 1);
                let words = counts.drain().map(|(unit, count)| Word::Count(unit, count));
                output.session(&time).give_iterator(words);
            });
        }
    })
}

/// Rows that are not settled, counted. Those that repeat others count too.
struct Waiting {
    steps: Steps,
    /// By unit of event time.
    counts: BTreeMap<i64, u64>,
    settled_ms: i64,
}

impl Waiting {
    fn hear(&mut self, word: Word) {
        match word {
            Word::Settled(ms) => self.settled_ms = self.settled_ms.max(ms),
            Word::Count(unit, count) => *self.counts.entry(unit).or_default() += count,
        }
    }

    /// Up to when rows are settled now, if that is further than before.
    fn settle(&mut self, floor_ms: i64) -> Option<i64> {
        let unit_ms = unit_ms(self.steps);
        let unit = floor_ms.div_euclid(unit_ms);
        let many = self.counts.range(..unit).map(|(_, count)| count).sum::<u64>() >= self.steps.rows;
        let step_ms = if many { unit_ms } else { self.steps.step_ms.max(1) };
        let time_ms = floor_ms.saturating_sub(floor_ms.rem_euclid(step_ms));
        if time_ms <= self.settled_ms {
            return None;
        }
        self.settled_ms = time_ms;
        self.counts = self.counts.split_off(&time_ms.div_euclid(unit_ms));
        Some(time_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_wait_for_a_step_and_many_do_not() {
        let steps = Steps { step_ms: 3_600, rows: 100 }; // of units of 10 ms
        let mut waiting = Waiting { steps, counts: BTreeMap::new(), settled_ms: i64::MIN };
        waiting.hear(Word::Settled(3_600));
        waiting.hear(Word::Count(500, 60));
        waiting.hear(Word::Count(501, 39));
        assert_eq!([5_005, 5_019, 7_199].map(|floor_ms| waiting.settle(floor_ms)), [None; 3]);
        waiting.hear(Word::Count(501, 1));
        assert_eq!([5_019, 5_021, 5_022].map(|floor_ms| waiting.settle(floor_ms)), [None, Some(5_020), None]);
        waiting.hear(Word::Count(600, 99));
        assert_eq!([7_199, 7_205, 7_205].map(|floor_ms| waiting.settle(floor_ms)), [None, Some(7_200), None]);
        waiting.hear(Word::Count(720, 99));
        assert_eq!([7_300, 10_799, 10_800].map(|floor_ms| waiting.settle(floor_ms)), [None, None, Some(10_800)]);
        // Nothing may be as far as time goes back.
        assert_eq!(waiting.settle(i64::MIN), None);
    }
}
