//! What a lookup has still to do, in the order of times.

use std::collections::BTreeMap;

use columnar::Columnar;
use timely::dataflow::operators::Capability;
use timely::order::TotalOrder;
use timely::progress::Timestamp;

use super::Key;
use crate::Batch;
use crate::hold_back::Position;

/// The rows of a time, and the right to answer to them on each output.
pub(super) type Waiting<T, R> = ([Capability<T>; 3], Vec<Batch<R>>);

/// What came and waits for the collection to be complete through its time.
pub(super) struct Agenda<T: Timestamp, R: Columnar> {
    pub(super) rows: BTreeMap<T, Waiting<T, R>>,
    changes: BTreeMap<T, (Capability<T>, Changed)>,
}

/// What changes at a time, before the rows of that time.
#[derive(Default)]
pub(super) struct Changed {
    /// Keys that have another value.
    pub(super) keys: Vec<Key>,
    /// Records that will not come.
    pub(super) skipped: Vec<Position>,
}

impl<T: Timestamp, R: Columnar> Default for Agenda<T, R> {
    fn default() -> Self {
        Agenda { rows: BTreeMap::new(), changes: BTreeMap::new() }
    }
}

/// What is next on it.
pub(super) enum Turn<T: Timestamp, R: Columnar> {
    Change(Capability<T>, Changed),
    Rows(T, Waiting<T, R>),
}

impl<T: Timestamp + TotalOrder, R: Columnar> Agenda<T, R> {
    pub(super) fn change(&mut self, at: T, key: Key, capability: impl FnOnce(&T) -> Capability<T>) {
        let capability = || (capability(&at), Changed::default());
        self.changes.entry(at.clone()).or_insert_with(capability).1.keys.push(key);
    }

    pub(super) fn skipped(
        &mut self,
        time: &T,
        positions: &mut Vec<Position>,
        capability: impl FnOnce() -> Capability<T>,
    ) {
        let capability = || (capability(), Changed::default());
        self.changes.entry(time.clone()).or_insert_with(capability).1.skipped.append(positions);
    }

    pub(super) fn rows(&mut self, time: &T, batch: Batch<R>, capabilities: impl FnOnce() -> [Capability<T>; 3]) {
        self.rows.entry(time.clone()).or_insert_with(|| (capabilities(), Vec::new())).1.push(batch);
    }

    /// In the order of times; at one time the collection's changes come before the rows that see them.
    ///
    /// `complete` says whether the collection is known through a time; `arrived`, whether all rows before it are here. A
    /// change waits for these: a row that comes from before it misses, and must be there to be told that it is resolved.
    pub(super) fn next(&mut self, complete: impl Fn(&T) -> bool, arrived: impl Fn(&T) -> bool) -> Option<Turn<T, R>> {
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
