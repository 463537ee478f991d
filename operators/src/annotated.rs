//! Rows joined with a static set that may change while they are remembered: a correction corrects the rows joined before.
//!
//! ```text
//!   told  =  rows x set (left join):  each row with the value its place has in the set, if any
//!   d(told)  =  d(rows) x set  +  rows x d(set),  where rows are those at or above the floor
//! ```
//!
//! Hand-written state: the set as a table on every worker, and the rows of each place in the order of time. A differential
//! join would arrange the rows under the place, at three times the memory, and join the small side again each epoch.
//! Cost: a probe and an insertion into a sorted set a row; a change of the set tells every remembered row of its place.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

use crate::FixedMap;

/// A row that has a place in the set's terms, a time to be forgotten by, and an identity.
pub trait Placed: Clone + Ord {
    /// Names a place.
    type Place: Copy + Eq + Hash;
    /// Names a row: at any time there is at most one row of an id.
    type Id: Copy + Eq + Hash;

    /// Where.
    fn place(&self) -> Self::Place;
    /// Which.
    fn id(&self) -> Self::Id;
    /// When, ms since the epoch. Rows sort by this first.
    fn event_ms(&self) -> i64;
}

/// Rows by place, and what the set says of each place.
pub struct Annotated<R: Placed, N> {
    /// What was said of a place and how often: retractions may come before what they retract.
    set: FixedMap<R::Place, BTreeMap<N, i64>>,
    rows: FixedMap<R::Place, BTreeSet<R>>,
    changed: FixedMap<R::Id, Changed<R>>,
    /// Rows at places of which the set says nothing, more or less than when it was last asked.
    bare: i64,
}

/// A row since it was last told.
struct Changed<R> {
    /// As it was told, if it may still be the same.
    was: Option<R>,
    now: Option<R>,
}

impl<R: Placed, N> Default for Annotated<R, N> {
    fn default() -> Self {
        Annotated { set: FixedMap::default(), rows: FixedMap::default(), changed: FixedMap::default(), bare: 0 }
    }
}

impl<R: Placed, N: Ord + Clone> Annotated<R, N> {
    /// A difference of the set. Where a place has several values the least stands. Cost: the rows of the place, if what
    /// stands changes.
    pub fn annotate(&mut self, place: R::Place, value: N, diff: i64) {
        let before = self.value(place).cloned();
        let values = self.set.entry(place).or_default();
        let count = values.entry(value.clone()).or_default();
        *count += diff;
        if *count == 0 {
            values.remove(&value);
        }
        if values.is_empty() {
            self.set.remove(&place);
        }
        let now = self.value(place);
        if before.as_ref() != now {
            let each_bare = i64::from(now.is_none()) - i64::from(before.is_none());
            for row in self.rows.get(&place).into_iter().flatten() {
                self.changed.insert(row.id(), Changed { was: None, now: Some(row.clone()) });
                self.bare += each_bare;
            }
        }
    }

    /// A difference of the rows. Of one epoch a row's retraction comes before the row that takes its place.
    pub fn row(&mut self, row: R, diff: i64) {
        let id = row.id();
        if self.value(row.place()).is_none() {
            self.bare += diff;
        }
        if diff > 0 {
            self.rows.entry(row.place()).or_default().insert(row.clone());
            self.changed.entry(id).or_insert(Changed { was: None, now: None }).now = Some(row);
        } else {
            if let Some(rows) = self.rows.get_mut(&row.place()) {
                rows.remove(&row);
            }
            self.changed.entry(id).or_insert_with(|| Changed { was: Some(row), now: None }).now = None;
        }
    }

    /// What the set says of a place.
    pub fn value(&self, place: R::Place) -> Option<&N> {
        said(&self.set, place)
    }

    /// How many more rows there are at places of which the set says nothing than when this was last asked; those that are
    /// forgotten stay.
    pub fn take_bare(&mut self) -> i64 {
        std::mem::take(&mut self.bare)
    }

    /// Tells each row that changed, once: the row and what the set says of its place; `None` if it is gone.
    pub fn tell(&mut self, mut tell: impl FnMut(R::Id, Option<(R, Option<&N>)>)) {
        let mut changed = std::mem::take(&mut self.changed);
        for (id, Changed { was, now }) in changed.drain() {
            if was.is_none() || was != now {
                tell(id, now.map(|row| (row.clone(), self.value(row.place()))));
            }
        }
        self.changed = changed;
    }

    /// Forgets rows below `floor_ms`; says nothing of it. They are no longer corrected.
    pub fn forget(&mut self, floor_ms: i64) {
        self.take_below(floor_ms, |_, _| ());
    }

    /// Forgets rows below `floor_ms`, and hands over each with what the set says of its place. Cost: a look at each place.
    pub fn take_below(&mut self, floor_ms: i64, mut take: impl FnMut(R, Option<&N>)) {
        let Annotated { set, rows, .. } = self;
        rows.retain(|place, rows| {
            while rows.first().is_some_and(|row| row.event_ms() < floor_ms)
                && let Some(row) = rows.pop_first()
            {
                take(row, said(set, *place));
            }
            !rows.is_empty()
        });
    }
}

/// What a set says of a place.
fn said<P: Eq + Hash, N>(set: &FixedMap<P, BTreeMap<N, i64>>, place: P) -> Option<&N> {
    set.get(&place)?.iter().find(|(_, count)| **count > 0).map(|(value, _)| value)
}
