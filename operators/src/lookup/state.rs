//! What a lookup sees and remembers: the collection, a cache before it, and the misses that wait for a key.

use columnar::{Columnar, Container, Index};
use differential_dataflow::ExchangeData;
use differential_dataflow::lattice::Lattice;
use differential_dataflow::trace::{Cursor, TraceReader};
use timely::progress::{Antichain, Timestamp};

use super::Key;
use crate::batch::Columns;
use crate::hold_back::{Barrier, Position};
use crate::standing::StandingTrace;
use crate::{Batch, FixedMap};

/// Slots of the cache of hits, 48 bytes each.
const CACHE_SLOTS: usize = 1 << 14;

/// The collection as rows see it: the trace, the cache before it, and the misses that wait for a key.
pub(super) struct Lookups<V, T: Timestamp + Lattice>
where
    V: ExchangeData,
{
    trace: StandingTrace<Key, V, T>,
    cache: Vec<Option<(Key, V)>>,
    /// The lowest miss of each stream.
    misses: FixedMap<u32, (u64, Key)>,
}

impl<V: ExchangeData + Copy, T: Timestamp + Lattice> Lookups<V, T> {
    pub(super) fn new(mut trace: StandingTrace<Key, V, T>) -> Self {
        // Cursors here always read the whole trace: its batches may merge as they like.
        trace.set_physical_compaction(Antichain::new().borrow());
        Lookups { trace, cache: vec![None; CACHE_SLOTS], misses: FixedMap::default() }
    }

    /// The collection changed at `keys`: forgets them, and says which misses that resolves.
    pub(super) fn change(&mut self, keys: &mut [Key]) -> impl Iterator<Item = Barrier> {
        keys.sort_unstable();
        for &key in keys.iter() {
            self.cache[slot(key)] = None;
        }
        let resolved = self.misses.iter().filter(|(_, (_, key))| keys.binary_search(key).is_ok());
        resolved.map(|(&stream, &(offset, _))| Barrier::Resolved(Position { stream, offset }))
    }

    /// Forgets the misses of records that will not come again; their barriers are lifted.
    pub(super) fn skip(&mut self, skipped: &[Position]) -> Vec<Barrier> {
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
    pub(super) fn answer<R: Columnar<Container: Container>>(
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
    pub(super) fn compact(&mut self, waiting: Option<&T>, rows: &Antichain<T>) {
        let waiting = waiting.cloned().map(Antichain::from_elem);
        self.trace.set_logical_compaction(waiting.as_ref().unwrap_or(rows).borrow());
    }
}

fn slot(key: Key) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "a slot's number is what is wanted")]
    let bits = (key >> 64) as usize;
    bits % CACHE_SLOTS
}
