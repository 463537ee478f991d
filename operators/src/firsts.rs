//! Deduplication where the first occurrence wins: of all occurrences of a key the one that arrived first stands.
//!
//! ```text
//!   stands(key)  =  the occurrence of least arrival, of those at or above the floor
//!   told         =  +new, or -old +new where an earlier one comes later
//! ```
//!
//! What came first is said by an arrival (say, topic time, partition and offset), not by when this operator sees it: so the
//! same one stands on any number of workers. That makes an occurrence that stands retractable.
//!
//! Hand-written state: a hash table, one probe a row. An arrangement takes 2 times the memory and 10 times the time (see
//! `hexflow bench state`). A key is forgotten once its occurrence is below the floor of event time; what repeats it after
//! that is too late itself, unless it says another event time: then it is new, here and in the windows it falls into.
//! Whoever needs keys for longer freezes what is below the floor, and forgets it later: until then it gives way to nothing.

use std::collections::hash_map::Entry;
use std::hash::Hash;

use crate::FixedMap;

/// An occurrence of a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence<A, V> {
    /// The least wins.
    pub arrival: A,
    /// Event time, ms since the epoch.
    pub event_ms: i64,
    /// What occurred.
    pub value: V,
}

/// The occurrences that stand, by key.
pub struct Firsts<K, A, V> {
    stands: FixedMap<K, Occurrence<A, V>>,
    floor_ms: i64,
    frozen_ms: i64,
}

impl<K, A, V> Default for Firsts<K, A, V> {
    fn default() -> Self {
        Firsts { stands: FixedMap::default(), floor_ms: i64::MIN, frozen_ms: i64::MIN }
    }
}

impl<K: Eq + Hash, A: Ord, V: Clone + PartialEq> Firsts<K, A, V> {
    /// Offers an occurrence; tells what stands no longer (-1), then what stands now (1). False if that is
    /// what stood before.
    ///
    /// ```
    /// use hexflow_operators::firsts::{Firsts, Occurrence};
    ///
    /// let (mut firsts, mut told) = (Firsts::default(), Vec::new());
    /// for (arrival, value) in [(7, "b"), (9, "c"), (3, "a")] {
    ///     firsts.offer(1u64, Occurrence { arrival, event_ms: 0, value }, |value, diff| told.push((value, diff)));
    /// }
    /// assert_eq!(told, [("b", 1), ("b", -1), ("a", 1)]);
    /// ```
    pub fn offer(&mut self, key: K, occurrence: Occurrence<A, V>, mut tell: impl FnMut(V, i64)) -> bool {
        match self.stands.entry(key) {
            Entry::Vacant(vacant) => tell(vacant.insert(occurrence).value.clone(), 1),
            // What is below the floor counts as forgotten, whether it was swept yet or not.
            Entry::Occupied(mut stands)
                if stands.get().event_ms < self.floor_ms
                    || stands.get().event_ms >= self.frozen_ms && occurrence.arrival < stands.get().arrival =>
            {
                let before = stands.insert(occurrence);
                if before.value == stands.get().value {
                    return false;
                }
                tell(before.value, -1);
                tell(stands.get().value.clone(), 1);
            }
            Entry::Occupied(_) => return false,
        }
        true
    }

    /// Occurrences below `frozen_ms` give way to none from now on, until they are forgotten.
    pub fn freeze(&mut self, frozen_ms: i64) {
        self.frozen_ms = self.frozen_ms.max(frozen_ms);
    }

    /// Keys whose occurrence is below `floor_ms` count as forgotten from now on.
    pub fn raise(&mut self, floor_ms: i64) {
        self.floor_ms = self.floor_ms.max(floor_ms);
    }

    /// Frees what counts as forgotten; says nothing of it. Cost: a walk through the table.
    pub fn sweep(&mut self) {
        self.stands.retain(|_, stands| stands.event_ms >= self.floor_ms);
        if self.stands.capacity() > self.stands.len() * 4 {
            self.stands.shrink_to(self.stands.len() * 2);
        }
    }

    /// Keys remembered.
    pub fn len(&self) -> usize {
        self.stands.len()
    }

    /// Whether no key is remembered.
    pub fn is_empty(&self) -> bool {
        self.stands.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_frozen_gives_way_to_nothing_until_it_is_forgotten() {
        let mut firsts = Firsts::default();
        let offer = |firsts: &mut Firsts<u8, i64, i64>, arrival, event_ms| {
            let mut told = Vec::new();
            let occurrence = Occurrence { arrival, event_ms, value: event_ms };
            firsts.offer(1, occurrence, |value, diff| told.push((value, diff)));
            told
        };
        assert_eq!(offer(&mut firsts, 7, 100), [(100, 1)]);
        assert_eq!(offer(&mut firsts, 6, 110), [(100, -1), (110, 1)]);
        firsts.freeze(111);
        assert_eq!(offer(&mut firsts, 5, 120), []);
        firsts.raise(110);
        firsts.sweep();
        assert_eq!(offer(&mut firsts, 8, 130), []);
        firsts.raise(111);
        assert_eq!(offer(&mut firsts, 8, 130), [(110, -1), (130, 1)]);
    }
}
