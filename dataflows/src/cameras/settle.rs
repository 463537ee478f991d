//! Rows that nothing changes any more, handed over once: what a history is made of.
//!
//! ```text
//!   floor of the watermark  --------------------.------|----------->  event time
//!   settled below           |-------------------'  the floor, down to a multiple of the step; never falls
//! ```
//!
//! Below the floor nothing is in time, so a row there can change no more, but by a key that is used again or a location that
//! gets another name. Both are held off until the row is settled: until then its key is remembered, and gives way to none;
//! and a location's name is corrected. So a row says in its history what its table says, for good; used again after
//! that, a key names another row, which is another in the windows, too.
//!
//! That a time is settled is a [`Mark`], stored with its epoch. Whoever keeps settled rows must have them durable before the
//! mark is stored; then a later run, which begins with the rows at and above the mark, settles each of the others once more,
//! and no other row.

use hexflow_operators::each_epoch::EachEpoch;
use timely::dataflow::StreamVec;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::operator::empty;
use timely::dataflow::operators::vec::{Broadcast, Map};
use timely::order::TotalOrder;
use timely::progress::Timestamp;

use super::detections::Detection;
use crate::marks::Mark;

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

/// Follows the floor, in steps of `step_ms` if there is one, from where an earlier run had come to.
pub(super) fn settles<'scope, T: Timestamp + TotalOrder>(
    floors: StreamVec<'scope, T, i64>,
    restored: StreamVec<'scope, T, Mark>,
    step_ms: Option<i64>,
) -> Settles<'scope, T> {
    let scope = floors.scope();
    let Some(step_ms) = step_ms.map(|step_ms| step_ms.max(1)) else {
        return Settles { times: empty(scope), marks: empty(scope) };
    };
    let restored = restored.flat_map(|mark| if let Mark::Settled(ms) = mark { Some(ms) } else { None });
    let (is_first, mut settled) = (scope.index() == 0, None);
    let (times, marks) = floors.each_epoch(Pipeline, "Settles", restored.broadcast(), {
        move |floors, restored, times, marks| {
            settled = restored.drain(..).fold(settled, |settled, ms| settled.max(Some(ms)));
            let floor_ms = floors.drain(..).flatten().max();
            let time = floor_ms.map(|floor_ms| floor_ms.saturating_sub(floor_ms.rem_euclid(step_ms)));
            if let Some(ms) = time.filter(|_| time > settled) {
                settled = time;
                times.push(ms);
                marks.extend(is_first.then_some(Mark::Settled(ms)));
            }
        }
    });
    Settles { times, marks }
}
