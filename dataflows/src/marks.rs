//! How far a pipeline has come, beside its rows: what a store keeps, so that a later run goes on from there.
//!
//! ```text
//!   rows -- arrivals -- watermark --> rows in time, late rows, floors
//!              |           |
//!              +-----------+--> marks --> a store ..> marks, restored at a later run's first time
//! ```
//!
//! Stored with the rows of their epoch, they say how things stood when just these rows had been read: so a later run finds the
//! same rows late, and the same order of arrival, as if there had been no stop in between.

use columnar::{Columnar, Container};
use hexflow_operators::Batch;
use hexflow_operators::batch::Columns;
use hexflow_operators::watermark::{self, Lateness, Stamp, Watermark};
use serde::{Deserialize, Serialize};
use timely::dataflow::operators::vec::Map;
use timely::dataflow::operators::{Concat, Exchange};
use timely::dataflow::{Stream, StreamVec};
use timely::order::TotalOrder;
use timely::progress::Timestamp;

use crate::arrivals::{Arrivals, Arrived, Reached};

/// One thing to know of how far a pipeline has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Mark {
    /// How far a partition was read.
    Reached(u32, Reached),
    /// Of event time.
    EventTime(watermark::Mark),
    /// The time below which rows are settled and kept elsewhere, ms since the epoch: see [`crate::cameras::settle`].
    Settled(i64),
    /// The number of the store, by which that place knows its own; no pipeline heeds it.
    Store(i64),
}

/// Rows in time and late ones, and what is to be known beside them.
pub struct Marked<'scope, T: Timestamp, R: Columnar> {
    /// Rows at or above the floor.
    pub rows: Stream<'scope, T, Batch<R>>,
    /// Rows below it.
    pub late: Stream<'scope, T, Batch<R>>,
    /// The floor as it rises, on each worker.
    pub floors: StreamVec<'scope, T, i64>,
    /// The marks that an epoch has moved, on the first worker.
    pub marks: StreamVec<'scope, T, Mark>,
}

/// Puts rows in the order of their arrival, and late ones aside. A partition's rows must come on one worker, in their order,
/// at times behind that of `restored`, the marks of an earlier run.
pub fn marked<'scope, T: Timestamp + TotalOrder, R: Arrived<Container: Container>>(
    rows: Stream<'scope, T, Batch<R>>,
    restored: StreamVec<'scope, T, Mark>,
    lateness: Lateness,
    stamp: impl Fn(&Columns<'_, R>, usize) -> Stamp + Clone + 'static,
) -> Marked<'scope, T, R> {
    let reached = |mark| if let Mark::Reached(stream, reached) = mark { Some((stream, reached)) } else { None };
    let event_time = |mark| if let Mark::EventTime(mark) = mark { Some(mark) } else { None };
    let ordered = rows.arrivals(restored.clone().flat_map(reached));
    let marked = ordered.rows.watermark(lateness, restored.flat_map(event_time), stamp);
    let reached = ordered.reached.map(|(stream, reached)| Mark::Reached(stream, reached)).exchange(|_| 0);
    let marks = marked.marks.map(Mark::EventTime).concat(reached);
    Marked { rows: marked.rows, late: marked.late, floors: marked.floors, marks }
}
