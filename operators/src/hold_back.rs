//! Holds back what comes behind a stalled record, in its stream alone.
//!
//! A *stream* here is one ordered log, a topic's partition. A record that cannot go on raises a barrier at its offset: no
//! later record of its stream may take effect before it. Barriers reach every worker, since a stream's records may have
//! been exchanged to any of them. What is behind a barrier is dropped here, not kept: the source still has it, and reads
//! it again from the barrier on once the record can go on. So a stall costs no memory, however long it lasts.
//!
//! ```text
//!   offsets      7    8    9   10   11         the source rewinds:  9   10   11
//!   at 9         |    |    x    .    .         at 9                 |    |    |
//!                passed    |    held back      lifts the barrier ---+
//!                          barrier raised
//! ```
//!
//! Within one time all barriers are applied before any record, so a record is never a barrier too early or too late: rows
//! of a time wait here until the barriers of that time are complete on all workers.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;

use columnar::Columnar;
use serde::{Deserialize, Serialize};
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::dataflow::operators::vec::Broadcast;
use timely::dataflow::{Stream, StreamVec};
use timely::order::TotalOrder;
use timely::progress::Timestamp;

use crate::batch::Columns;
use crate::{Batch, FixedMap};

/// Where a record stands: which stream, and how far in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Names the stream; topic and partition, as the caller encodes them.
    pub stream: u32,
    /// The record's offset.
    pub offset: u64,
}

/// What becomes of a barrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Barrier {
    /// This record cannot go on; nothing behind it may.
    Raised(Position),
    /// What this record waited for is there: its source may read it again.
    Resolved(Position),
    /// The record came again, and went on.
    Lifted(Position),
}

/// Extension trait for streams of batches.
pub trait HoldBack<'scope, T: Timestamp, R: Columnar> {
    /// Drops the rows behind a barrier of their stream; what remains comes out in the order of times.
    ///
    /// ```
    /// use hexflow_operators::hold_back::{Barrier, HoldBack, Position};
    /// use hexflow_operators::testing::{Batches, InspectRows};
    /// use timely::dataflow::operators::ToStream;
    ///
    /// timely::example(|scope| {
    ///     let barriers = [Barrier::Raised(Position { stream: 1, offset: 7 })].to_stream(scope);
    ///     [(1u32, 6u64), (1, 7), (1, 8), (2, 8)]
    ///         .to_stream(scope)
    ///         .batches()
    ///         .hold_back(barriers, |columns, row| Position {
    ///             stream: columns.0[row],
    ///             offset: columns.1[row],
    ///         })
    ///         .inspect_rows(|(stream, offset): (&u32, &u64)| assert!((*stream, *offset) != (1, 8)));
    /// });
    /// ```
    fn hold_back(
        self,
        barriers: StreamVec<'scope, T, Barrier>,
        position: impl Fn(&Columns<'_, R>, usize) -> Position + 'static,
    ) -> Stream<'scope, T, Batch<R>>;
}

impl<'scope, T: Timestamp + TotalOrder, R: Columnar> HoldBack<'scope, T, R> for Stream<'scope, T, Batch<R>> {
    fn hold_back(
        self,
        barriers: StreamVec<'scope, T, Barrier>,
        position: impl Fn(&Columns<'_, R>, usize) -> Position + 'static,
    ) -> Stream<'scope, T, Batch<R>> {
        self.binary_frontier(barriers.broadcast(), Pipeline, Pipeline, "HoldBack", |_capability, _info| {
            let mut waiting = BTreeMap::new();
            let mut changes: BTreeMap<T, Vec<Barrier>> = BTreeMap::new();
            let mut standing = Standing::default();
            move |(rows, rows_frontier), (barriers, barriers_frontier), output| {
                barriers.for_each(|time, data| changes.entry(time.time().clone()).or_default().append(data));
                rows.for_each(|time, batch| {
                    let (_, batches) = waiting
                        .entry(time.time().clone())
                        .or_insert_with(|| (time.retain(output.output_index()), Vec::new()));
                    batches.push(std::mem::take(batch));
                });
                let complete = |time: &T| !rows_frontier.less_equal(time) && !barriers_frontier.less_equal(time);
                while let Some(entry) = waiting.first_entry().filter(|entry| complete(entry.key())) {
                    let (time, (capability, batches)) = entry.remove_entry();
                    standing.advance(&mut changes, &time);
                    let mut session = output.session(&capability);
                    for mut batch in batches {
                        standing.drop_held(&mut batch, &position);
                        session.give_container(&mut batch);
                    }
                }
            }
        })
    }
}

/// The lowest barrier of each stream that has one.
#[derive(Default)]
struct Standing(FixedMap<u32, u64>);

impl Standing {
    /// Applies the changes at or before `time`: at each time first what was lifted, then what was raised.
    fn advance<T: Ord>(&mut self, changes: &mut BTreeMap<T, Vec<Barrier>>, time: &T) {
        while let Some(entry) = changes.first_entry().filter(|entry| entry.key() <= time) {
            let barriers = entry.remove();
            for barrier in &barriers {
                if let Barrier::Lifted(Position { stream, offset }) = *barrier
                    && let Entry::Occupied(at) = self.0.entry(stream)
                    && *at.get() == offset
                {
                    at.remove();
                }
            }
            for barrier in &barriers {
                if let Barrier::Raised(Position { stream, offset }) = *barrier {
                    self.0.entry(stream).and_modify(|at| *at = (*at).min(offset)).or_insert(offset);
                }
            }
        }
    }

    fn drop_held<R: Columnar>(&self, batch: &mut Batch<R>, position: impl Fn(&Columns<'_, R>, usize) -> Position) {
        if !self.0.is_empty() {
            batch.retain(|columns, row| {
                let Position { stream, offset } = position(columns, row);
                self.0.get(&stream).is_none_or(|&barrier| offset < barrier)
            });
        }
    }
}
