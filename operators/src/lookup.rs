//! Joins a stream of rows with an arranged collection, as a lookup: the rows are not arranged (a half join).
//!
//! A row at time `t` sees the collection as of `t`, its own time included, whatever has arrived since: it waits until the
//! collection is complete through `t`. A row whose key is missing raises a [`Barrier`] and leaves on a stream of its own;
//! when the key appears, the barrier is announced as resolved, so that whoever owns the row's source reads it again, and
//! the row, found at last, lifts it. A barrier whose record is to be skipped is lifted from outside.
//!
//! Hits are cached in a fixed number of slots, which are cleared as keys change, so a slot never outlives its value.

use std::collections::BTreeMap;

use columnar::{Columnar, Container, Index};
use differential_dataflow::ExchangeData;
use differential_dataflow::lattice::Lattice;
use differential_dataflow::trace::implementations::ValSpine;
use differential_dataflow::trace::{Cursor, Navigable, TraceReader};
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::{Stream, StreamVec};
use timely::order::TotalOrder;
use timely::progress::{Antichain, Timestamp};

use crate::batch::Columns;
use crate::hold_back::{Barrier, Position};
use crate::outputs::Outputs;
use crate::standing::{Standing, StandingTrace};
use crate::{Batch, FixedMap};

/// Slots of the cache of hits, 48 bytes each.
const CACHE_SLOTS: usize = 1 << 14;

/// The key of a lookup: a hash of what is looked up, of which the bits above the lowest 32 spread well.
pub type Key = u128;

type Waiting<T, R> = ([Capability<T>; 3], Vec<Batch<R>>);

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

/// What came and waits for the collection to be complete through its time.
struct Agenda<T: Timestamp, R: Columnar> {
    rows: BTreeMap<T, Waiting<T, R>>,
    changes: BTreeMap<T, (Capability<T>, Changed)>,
}

/// What changes at a time, before the rows of that time.
#[derive(Default)]
struct Changed {
    /// Keys that have another value.
    keys: Vec<Key>,
    /// Records that will not come.
    skipped: Vec<Position>,
}

impl<T: Timestamp, R: Columnar> Default for Agenda<T, R> {
    fn default() -> Self {
        Agenda { rows: BTreeMap::new(), changes: BTreeMap::new() }
    }
}

/// What is next on it.
enum Turn<T: Timestamp, R: Columnar> {
    Change(Capability<T>, Changed),
    Rows(T, Waiting<T, R>),
}

impl<T: Timestamp + TotalOrder, R: Columnar> Agenda<T, R> {
    fn change(&mut self, at: T, key: Key, capability: impl FnOnce(&T) -> Capability<T>) {
        let capability = || (capability(&at), Changed::default());
        self.changes.entry(at.clone()).or_insert_with(capability).1.keys.push(key);
    }

    fn skipped(&mut self, time: &T, positions: &mut Vec<Position>, capability: impl FnOnce() -> Capability<T>) {
        let capability = || (capability(), Changed::default());
        self.changes.entry(time.clone()).or_insert_with(capability).1.skipped.append(positions);
    }

    fn rows(&mut self, time: &T, batch: Batch<R>, capabilities: impl FnOnce() -> [Capability<T>; 3]) {
        self.rows.entry(time.clone()).or_insert_with(|| (capabilities(), Vec::new())).1.push(batch);
    }

    /// In the order of times; at one time the collection's changes come before the rows that see them.
    ///
    /// `complete` says whether the collection is known through a time; `arrived`, whether all rows before it are here. A
    /// change waits for these: a row that comes from before it misses, and must be there to be told that it is resolved.
    fn next(&mut self, complete: impl Fn(&T) -> bool, arrived: impl Fn(&T) -> bool) -> Option<Turn<T, R>> {
        let rows = self.rows.keys().next().filter(|time| complete(time));
        if let Some(change) = self.changes.keys().next().filter(|change| rows.is_none_or(|rows| *change <= rows)) {
            if !complete(change) || !arrived(change) {
                return None;
            }
            let (_, (capability, changed)) = self.changes.pop_first()?;
            return Some(Turn::Change(capability, changed));
        }
        rows?;
        let (time, waiting) = self.rows.pop_first()?;
        Some(Turn::Rows(time, waiting))
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

/// The collection as rows see it: the trace, the cache before it, and the misses that wait for a key.
struct Lookups<V, T: Timestamp + Lattice>
where
    V: ExchangeData,
{
    trace: StandingTrace<Key, V, T>,
    cache: Vec<Option<(Key, V)>>,
    /// The lowest miss of each stream.
    misses: FixedMap<u32, (u64, Key)>,
}

impl<V: ExchangeData + Copy, T: Timestamp + Lattice> Lookups<V, T> {
    fn new(mut trace: StandingTrace<Key, V, T>) -> Self {
        // Cursors here always read the whole trace: its batches may merge as they like.
        trace.set_physical_compaction(Antichain::new().borrow());
        Lookups { trace, cache: vec![None; CACHE_SLOTS], misses: FixedMap::default() }
    }

    /// The collection changed at `keys`: forgets them, and says which misses that resolves.
    fn change(&mut self, keys: &mut [Key]) -> impl Iterator<Item = Barrier> {
        keys.sort_unstable();
        for &key in keys.iter() {
            self.cache[slot(key)] = None;
        }
        let resolved = self.misses.iter().filter(|(_, (_, key))| keys.binary_search(key).is_ok());
        resolved.map(|(&stream, &(offset, _))| Barrier::Resolved(Position { stream, offset }))
    }

    /// Forgets the misses of records that will not come again; their barriers are lifted.
    fn skip(&mut self, skipped: &[Position]) -> Vec<Barrier> {
        let is_miss = |Position { stream, offset }: &Position| {
            self.misses.get(stream).is_some_and(|(lowest, _)| lowest == offset)
        };
        let lifted: Vec<_> = skipped.iter().copied().filter(is_miss).collect();
        for position in &lifted {
            self.misses.remove(&position.stream);
        }
        lifted.into_iter().map(Barrier::Lifted).collect()
    }

    /// Sets the value of each row that has one; takes the others out, and returns those of them that raise a barrier.
    fn answer<R: Columnar<Container: Container>>(
        &mut self,
        time: &T,
        rows: &mut Batch<R>,
        key: impl Fn(&Columns<'_, R>, usize) -> Key,
        position: impl Fn(&Columns<'_, R>, usize) -> Position,
        set: impl Fn(&mut R::Container, usize, V),
    ) -> (Batch<R>, Vec<Barrier>) {
        let fresh = self.seek(time, rows.read(&key));
        let (mut missed, mut barriers, mut found) = (Batch::default(), Vec::new(), Vec::with_capacity(rows.len()));
        rows.retain(|columns, index| {
            let key = key(columns, index);
            let value = self.cached(key).or_else(|| {
                let at = fresh.binary_search_by_key(&key, |&(key, _)| key).ok()?;
                Some(fresh[at].1)
            });
            found.extend(value.map(|value| (index, value)));
            if let Some(barrier) = self.judge(position(columns, index), key, value.is_some()) {
                if value.is_none() {
                    missed.push(columns.get(index));
                }
                barriers.push(barrier);
            }
            value.is_some()
        });
        // Not before: what was read from the trace leaves out what the cache held.
        fresh.into_iter().for_each(|(key, value)| self.cache[slot(key)] = Some((key, value)));
        let columns = rows.columns_mut();
        found.into_iter().for_each(|(index, value)| set(columns, index, value));
        (missed, barriers)
    }

    /// What a hit or a miss at `position` does to the barriers of its stream.
    fn judge(&mut self, position: Position, key: Key, hit: bool) -> Option<Barrier> {
        if hit && self.misses.is_empty() {
            return None; // as nearly always
        }
        let Position { stream, offset } = position;
        let lowest = self.misses.get(&stream).map(|&(offset, _)| offset);
        if !hit && lowest.is_none_or(|lowest| offset <= lowest) {
            self.misses.insert(stream, (offset, key));
            Some(Barrier::Raised(position))
        } else if hit && lowest == Some(offset) {
            self.misses.remove(&stream);
            Some(Barrier::Lifted(position))
        } else {
            None
        }
    }

    /// Reads from the trace, as of `time`, the values of those `keys` that the cache does not hold; sorted by key.
    fn seek(&mut self, time: &T, keys: impl Iterator<Item = Key>) -> Vec<(Key, V)> {
        let mut wanted: Vec<Key> = keys.filter(|&key| self.cached(key).is_none()).collect();
        if wanted.is_empty() {
            return Vec::new();
        }
        wanted.sort_unstable();
        wanted.dedup();
        let (mut cursor, storage) = self.trace.cursor();
        let mut fresh = Vec::with_capacity(wanted.len());
        for key in wanted {
            cursor.seek_key(&storage, &key);
            if cursor.get_key(&storage) != Some(&key) {
                continue;
            }
            while let Some(&value) = cursor.get_val(&storage) {
                let mut count = 0;
                cursor.map_times(&storage, |at, diff| count += if at.less_equal(time) { *diff } else { 0 });
                if count > 0 {
                    fresh.push((key, value));
                    break;
                }
                cursor.step_val(&storage);
            }
        }
        fresh
    }

    fn cached(&self, key: Key) -> Option<V> {
        self.cache[slot(key)].filter(|&(cached, _)| cached == key).map(|(_, value)| value)
    }

    /// Lets the trace forget what no row to come can tell apart.
    fn compact(&mut self, waiting: Option<&T>, rows: &Antichain<T>) {
        let waiting = waiting.cloned().map(Antichain::from_elem);
        self.trace.set_logical_compaction(waiting.as_ref().unwrap_or(rows).borrow());
    }
}

fn slot(key: Key) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "a slot's number is what is wanted")]
    let bits = (key >> 64) as usize;
    bits % CACHE_SLOTS
}

#[cfg(test)]
#[path = "lookup_tests.rs"]
mod tests;
