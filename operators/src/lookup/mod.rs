//! Joins a stream of rows with an arranged collection, as a lookup: the rows are not arranged (a half join).
//!
//! A row at time `t` sees the collection as of `t`, its own time included, whatever has arrived since: it waits until the
//! collection is complete through `t`. A row whose key is missing raises a [`Barrier`] and leaves on a stream of its own;
//! when the key appears, the barrier is announced as resolved, so that whoever owns the row's source reads it again, and
//! the row, found at last, lifts it. A barrier whose record is to be skipped is lifted from outside.
//!
//! Hits are cached in a fixed number of slots, which are cleared as keys change, so a slot never outlives its value.

mod agenda;
mod state;
#[cfg(test)]
mod tests;

use columnar::{Columnar, Container};
use differential_dataflow::ExchangeData;
use differential_dataflow::lattice::Lattice;
use differential_dataflow::trace::implementations::ValSpine;
use differential_dataflow::trace::{Cursor, Navigable, TraceReader};
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::{Stream, StreamVec};
use timely::order::TotalOrder;
use timely::progress::Timestamp;

use self::agenda::{Agenda, Turn};
use self::state::Lookups;
use crate::Batch;
use crate::batch::Columns;
use crate::hold_back::{Barrier, Position};
use crate::outputs::Outputs;
use crate::standing::Standing;

/// The key of a lookup: a hash of what is looked up, of which the bits above the lowest 32 spread well.
pub type Key = u128;

/// What a lookup yields.
pub struct Found<'scope, T: Timestamp, R: Columnar> {
    /// The rows whose key was there, with the value set.
    pub hits: Stream<'scope, T, Batch<R>>,
    /// The rows that raised a barrier. A later row of the same stream that misses as well is dropped here: the barrier
    /// brings it back.
    pub missed: Stream<'scope, T, Batch<R>>,
    /// What became of barriers.
    pub barriers: StreamVec<'scope, T, Barrier>,
}

/// Extension trait for streams of batches.
pub trait Lookup<'scope, T: Timestamp + Lattice + TotalOrder, R: Columnar> {
    /// Sets on each row the value that `collection` has for its key.
    ///
    /// Rows must be on the worker that owns their key. `set` writes the value into row `index` of the columns. `skipped`
    /// are records that will not come here: a barrier that one of them raised is lifted. Every worker must hear of all.
    ///
    /// ```
    /// use columnar::Index;
    /// use differential_dataflow::input::Input;
    /// use hexflow_operators::hold_back::Position;
    /// use hexflow_operators::lookup::Lookup;
    /// use hexflow_operators::standing::ArrangeStanding;
    /// use hexflow_operators::testing::{Batches, InspectRows};
    /// use timely::dataflow::operators::ToStream;
    /// use timely::dataflow::operators::generic::operator::empty;
    ///
    /// timely::example(|scope| {
    ///     let mapping = scope.new_collection_from([(7u128, (0, 70u64))]).1.arrange_standing("Mapping", |_| 0);
    ///     let found = [(7u128, 0u64), (8, 0)].to_stream(scope).batches().lookup(
    ///         mapping,
    ///         empty(scope),
    ///         |columns, row| columns.0.get(row),
    ///         |_, _| Position { stream: 0, offset: 0 },
    ///         |columns, index, value| columns.1[index] = value,
    ///     );
    ///     found.hits.inspect_rows(|(key, value)| assert_eq!((key, *value), (7, 70)));
    ///     found.missed.inspect_rows(|(key, _)| assert_eq!(key, 8));
    /// });
    /// ```
    fn lookup<V: ExchangeData + Copy>(
        self,
        collection: Standing<'scope, Key, V, T>,
        skipped: StreamVec<'scope, T, Position>,
        key: impl Fn(&Columns<'_, R>, usize) -> Key + 'static,
        position: impl Fn(&Columns<'_, R>, usize) -> Position + 'static,
        set: impl Fn(&mut R::Container, usize, V) + 'static,
    ) -> Found<'scope, T, R>;
}

impl<'scope, T, R> Lookup<'scope, T, R> for Stream<'scope, T, Batch<R>>
where
    T: Timestamp + Lattice + TotalOrder,
    R: Columnar,
    R::Container: Container,
{
    fn lookup<V: ExchangeData + Copy>(
        self,
        collection: Standing<'scope, Key, V, T>,
        skipped: StreamVec<'scope, T, Position>,
        key: impl Fn(&Columns<'_, R>, usize) -> Key + 'static,
        position: impl Fn(&Columns<'_, R>, usize) -> Position + 'static,
        set: impl Fn(&mut R::Container, usize, V) + 'static,
    ) -> Found<'scope, T, R> {
        let mut builder = OperatorBuilder::new("Lookup".to_owned(), self.scope());
        let mut rows = builder.new_input(self, Pipeline);
        let mut changes = builder.new_input(collection.stream, Pipeline);
        let mut skipped = builder.new_input(skipped, Pipeline);
        let (mut hit_output, hits) = builder.output::<Batch<R>>();
        let (mut missed_output, missed) = builder.output::<Batch<R>>();
        let (mut barrier_output, barriers) = builder.output::<Vec<Barrier>>();

        builder.build(move |_capabilities| {
            let mut agenda = Agenda::default();
            let mut state = Lookups::new(collection.trace);
            move |frontiers| {
                changes.for_each(|time, batches| {
                    for (at, key) in batches.iter().flat_map(changes_of) {
                        agenda.change(at, key, |at| time.delayed(at, 2));
                    }
                });
                skipped.for_each(|time, positions| agenda.skipped(time.time(), positions, || time.retain(2)));
                rows.for_each(|time, batch| {
                    agenda.rows(time.time(), std::mem::take(batch), || [0, 1, 2].map(|output| time.retain(output)));
                });

                let mut barrier_output = barrier_output.activate();
                let complete = |time: &T| !frontiers[1].less_equal(time) && !frontiers[2].less_equal(time);
                while let Some(turn) = agenda.next(complete, |time| !frontiers[0].less_than(time)) {
                    match turn {
                        Turn::Change(capability, mut changed) => {
                            let mut session = barrier_output.session(&capability);
                            session.give_iterator(state.skip(&changed.skipped).into_iter());
                            session.give_iterator(state.change(&mut changed.keys));
                        }
                        Turn::Rows(time, (capabilities, batches)) => {
                            for mut batch in batches {
                                let (mut missed, barriers) = state.answer(&time, &mut batch, &key, &position, &set);
                                hit_output.activate().session(&capabilities[0]).give_container(&mut batch);
                                missed_output.activate().session(&capabilities[1]).give_container(&mut missed);
                                barrier_output.session(&capabilities[2]).give_iterator(barriers.into_iter());
                            }
                        }
                    }
                }
                state.compact(agenda.rows.keys().next(), &frontiers[0].frontier().to_owned());
            }
        });
        Found { hits, missed, barriers }
    }
}

/// The times and keys of what a batch of the collection changes.
fn changes_of<V: ExchangeData, T: Timestamp + Lattice>(
    batch: &<ValSpine<Key, V, T, isize> as TraceReader>::Batch,
) -> Vec<(T, Key)> {
    let mut changes = Vec::new();
    let mut cursor = batch.cursor();
    while let Some(&key) = cursor.get_key(batch) {
        while cursor.get_val(batch).is_some() {
            cursor.map_times(batch, |time, _diff| changes.push((time.clone(), key)));
            cursor.step_val(batch);
        }
        cursor.step_key(batch);
    }
    changes
}
