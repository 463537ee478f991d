//! Event time by partition: how far it has come, what is too late, and what state may forget.
//!
//! ```text
//!   partition's time  m(p) = max of its rows' clocks so far
//!   late in p         event < m(p) - lateness              says p's own order alone: the same on any number of workers
//!   floor             min { m(p) : m(p) >= max m - idle } - lateness,  never falls
//! ```
//!
//! No row below the floor passes, so state forgets what only such a row could change. A partition that is `idle` behind the
//! foremost does not hold the floor back. Idleness is counted in event time, not by a clock on the wall, so a replay
//! finds the same rows late. Partitions of which nothing came yet count as one that stands where the first row did: those that
//! are read a little later are not late for that. A partition that comes back from far behind is judged by the floor of the epochs before.
//!
//! All of it is said as [`Mark`]s, too: whoever keeps them and says them again at a later run's first time has that run judge
//! rows as this one would have gone on to.

use columnar::{Columnar, Container};
use serde::{Deserialize, Serialize};
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Concat;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::generic::operator::Operator;
use timely::dataflow::operators::vec::Broadcast;
use timely::dataflow::{Stream, StreamVec};
use timely::order::TotalOrder;
use timely::progress::Timestamp;

use crate::agenda::Agenda;
use crate::batch::Columns;
use crate::outputs::Outputs;
use crate::partitions::Partitions;
use crate::{Batch, FixedMap};

/// How late rows may be, and how long a silent partition is waited for; both ms of event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lateness {
    /// A row may be this much older than the newest of its partition.
    pub lateness_ms: i64,
    /// A partition that is this much behind the foremost does not hold the floor back.
    pub idle_ms: i64,
}

/// When a row is, and where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The partition.
    pub partition: u32,
    /// Event time, ms since the epoch.
    pub event_ms: i64,
    /// How far the row may move its partition's time, ms since the epoch: at most its event time. Less where a broken clock
    /// would make all that follows late.
    pub clock_ms: i64,
}

/// What there is to know of event time at the end of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Mark {
    /// How far a partition has come, ms since the epoch.
    Clock(u32, i64),
    /// Where partitions count as standing of which nothing came yet.
    Unseen(i64),
    /// The floor.
    Floor(i64),
}

/// Rows in time, rows too late, and the floor below which no row will come.
pub struct Watermarked<'scope, T: Timestamp, R: Columnar> {
    /// Rows at or above the floor.
    pub rows: Stream<'scope, T, Batch<R>>,
    /// Rows below it.
    pub late: Stream<'scope, T, Batch<R>>,
    /// The floor as it rises, ms of event time; the same on each worker. It holds from the next epoch on.
    pub floors: StreamVec<'scope, T, i64>,
    /// The marks that an epoch has moved, on the first worker.
    pub marks: StreamVec<'scope, T, Mark>,
}

/// Extension trait for streams of batches.
pub trait Watermark<'scope, T: Timestamp, R: Columnar> {
    /// Sets apart rows that are too late, and says on every worker what may be forgotten.
    ///
    /// A partition's rows must come on one worker, in their order. Cost: a comparison a row, a message of each partition to
    /// each worker an epoch; rows wait until their epoch is complete. State: a number a partition. `restored` are the marks
    /// of an earlier run, at a time before that of any row.
    ///
    /// ```
    /// use hexflow_operators::testing::{Batches, InspectRows};
    /// use hexflow_operators::watermark::{Lateness, Stamp, Watermark};
    /// use timely::dataflow::operators::ToStream;
    /// use timely::dataflow::operators::generic::operator::empty;
    ///
    /// timely::example(|scope| {
    ///     let marked = [(0u32, 100i64), (0, 70), (0, 95), (1, 70)].to_stream(scope).batches().watermark(
    ///         Lateness { lateness_ms: 10, idle_ms: 1_000 },
    ///         empty(scope),
    ///         |columns, row| Stamp { partition: columns.0[row], event_ms: columns.1[row], clock_ms: columns.1[row] },
    ///     );
    ///     marked.late.inspect_rows(|(partition, event_ms)| assert_eq!((*partition, *event_ms), (0, 70)));
    /// });
    /// ```
    fn watermark(
        self,
        lateness: Lateness,
        restored: StreamVec<'scope, T, Mark>,
        stamp: impl Fn(&Columns<'_, R>, usize) -> Stamp + Clone + 'static,
    ) -> Watermarked<'scope, T, R>;
}

impl<'scope, T: Timestamp + TotalOrder, R: Columnar<Container: Container>> Watermark<'scope, T, R>
    for Stream<'scope, T, Batch<R>>
{
    fn watermark(
        self,
        lateness: Lateness,
        restored: StreamVec<'scope, T, Mark>,
        stamp: impl Fn(&Columns<'_, R>, usize) -> Stamp + Clone + 'static,
    ) -> Watermarked<'scope, T, R> {
        let said = clocks(self.clone(), stamp.clone()).concat(restored).broadcast();
        let is_first = self.scope().index() == 0;
        let mut builder = OperatorBuilder::new("Watermark".to_owned(), self.scope());
        let mut input = builder.new_input(self, Pipeline);
        let mut said = builder.new_input(said, Pipeline);
        let (mut row_output, rows) = builder.output::<Batch<R>>();
        let (mut late_output, late) = builder.output::<Batch<R>>();
        let (mut floor_output, floors) = builder.output::<Vec<i64>>();
        let (mut mark_output, marks) = builder.output::<Vec<Mark>>();

        builder.build(move |_capabilities| {
            let mut agenda = Agenda::<T, Batch<R>, Mark, 4>::default();
            let mut state = Partitions::new(lateness);
            let mut moved = Vec::new();
            move |frontiers| {
                input.for_each(|time, batch| {
                    let epoch = agenda.epoch(time.time(), || [0, 1, 2, 3].map(|output| time.retain(output)));
                    epoch.data.push(std::mem::take(batch));
                });
                said.for_each(|time, marks| {
                    agenda.epoch(time.time(), || [0, 1, 2, 3].map(|output| time.retain(output))).words.append(marks);
                });
                while let Some(epoch) = agenda.next(frontiers) {
                    let [to_rows, to_late, to_floor, to_marks] = &epoch.capabilities;
                    for mut batch in epoch.data {
                        let mut late = state.judge(&mut batch, &stamp);
                        row_output.activate().session(to_rows).give_container(&mut batch);
                        late_output.activate().session(to_late).give_container(&mut late);
                    }
                    if let Some(floor) = state.advance(&epoch.words, &mut moved) {
                        floor_output.activate().session(to_floor).give(floor);
                    }
                    if is_first {
                        mark_output.activate().session(to_marks).give_iterator(moved.drain(..));
                    }
                    moved.clear();
                }
            }
        });
        Watermarked { rows, late, floors, marks }
    }
}

/// The partitions of each batch, and the highest clock of each.
fn clocks<'scope, T: Timestamp, R: Columnar>(
    rows: Stream<'scope, T, Batch<R>>,
    stamp: impl Fn(&Columns<'_, R>, usize) -> Stamp + 'static,
) -> StreamVec<'scope, T, Mark> {
    rows.unary(Pipeline, "Clocks", |_capability, _info| {
        let mut highest = FixedMap::<u32, i64>::default();
        move |input, output| {
            input.for_each(|time, batch| {
                for Stamp { partition, clock_ms, .. } in batch.read(&stamp) {
                    let clock = highest.entry(partition).or_insert(clock_ms);
                    *clock = (*clock).max(clock_ms);
                }
                let marks = highest.drain().map(|(partition, clock_ms)| Mark::Clock(partition, clock_ms));
                output.session(&time).give_iterator(marks);
            });
        }
    })
}
