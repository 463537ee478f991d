//! Sessions of one key: points in time with no gap longer than `gap_ms` between neighbours, and a step from each to the next.
//!
//! ```text
//!   points   a . b ..... c . d          gap(b, c) > gap_ms:  sessions [a b] [c d], steps a>b, c>d
//!   add e    a . b . e . c . d          sessions [a b e c d], steps b>e, e>c as well
//! ```
//!
//! Hand-written state, since it is hot: of each key sorted vectors, so that a point in order costs a binary search and an
//! append, and one out of order a short move. What it does to steps is told as differences at once, and which sessions
//! changed once an epoch. As a `reduce` every point would sort its key's points anew.
//!
//! Points only come. Where they may go too, [`crate::visits`] is the collection of sessions, at a reduce's cost.

use crate::open_session::Open;
use crate::stats::Stats;

/// What is known at an instant.
pub trait Reading {
    /// What a session takes from its first reading.
    type Tag: Clone + PartialEq;

    /// This reading's.
    fn tag(&self) -> Self::Tag;

    /// What a step to `later`, after `elapsed_ms` > 0, measures; counted as [`Stats`] counts.
    fn step(&self, later: &Self, elapsed_ms: i64) -> f64;
}

/// A reading and when it was made. Of two at one instant that of the higher `order` counts.
#[derive(Clone, Copy, Debug)]
pub struct Point<V, O> {
    /// ms since the epoch.
    pub at_ms: i64,
    /// Which of two came later.
    pub order: O,
    /// What was read.
    pub reading: V,
}

/// A session, as others see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Session<G> {
    /// Of its first reading.
    pub tag: G,
    /// Its first instant, ms since the epoch.
    pub entered_ms: i64,
    /// Its last instant, ms since the epoch.
    pub left_ms: i64,
    /// Of its steps.
    pub steps: Stats,
}

/// A step that came (`diff` 1) or went (-1).
#[derive(Clone, Debug, PartialEq)]
pub struct Step<G> {
    /// Of its session.
    pub tag: G,
    /// When its later point is, ms since the epoch.
    pub at_ms: i64,
    /// What it measures.
    pub value: f64,
    /// 1 or -1.
    pub diff: i64,
}

/// The sessions of one key, ascending.
pub struct Sessions<V: Reading, O> {
    open: Vec<Open<V, O>>,
    /// Sessions that others know and that were merged into another.
    gone: Vec<Session<V::Tag>>,
    /// Where sessions changed since others were last told.
    changed: Option<(i64, i64)>,
}

impl<V: Reading, O> Default for Sessions<V, O> {
    fn default() -> Self {
        Sessions { open: Vec::new(), gone: Vec::new(), changed: None }
    }
}

impl<V: Reading, O: Ord> Sessions<V, O> {
    /// Adds a point, and tells which steps that makes and unmakes.
    ///
    /// `gap_ms` must always be the same. A point exactly `gap_ms` after another is of its session. False if nothing changed.
    pub fn add(&mut self, point: Point<V, O>, gap_ms: i64, tell: &mut impl FnMut(Step<V::Tag>)) -> bool {
        let at_ms = point.at_ms;
        let near = |from: i64, to: i64| to.saturating_sub(from) <= gap_ms;
        let index = self.open.partition_point(|open| open.left_ms() < at_ms && !near(open.left_ms(), at_ms));
        let joins = |open: &Open<V, O>| near(at_ms, open.entered_ms);
        if !self.open.get(index).is_some_and(joins) {
            self.open.insert(index, Open::new(point));
        } else {
            if self.open.get(index + 1).is_some_and(joins) {
                let later = self.open.remove(index + 1);
                self.touch(later.entered_ms, later.left_ms());
                self.gone.extend(later.told.clone());
                self.open[index].append(later, tell);
            }
            let entered_ms = self.open[index].entered_ms;
            if !self.open[index].add(point, tell) {
                return false;
            }
            self.touch(entered_ms, entered_ms);
        }
        let (from, to) = (self.open[index].entered_ms, self.open[index].left_ms());
        self.touch(from, to);
        true
    }

    /// Whether others are to be told of a change.
    pub fn is_changed(&self) -> bool {
        self.changed.is_some()
    }

    fn touch(&mut self, from: i64, to: i64) {
        let (first, last) = self.changed.unwrap_or((from, to));
        self.changed = Some((first.min(from), last.max(to)));
    }

    /// What others know of the sessions that changed, and what now holds, both ascending; appended to the two lists.
    ///
    /// Sessions that did not change but lie within `reach_ms` of one that did are in both.
    pub fn tell(&mut self, reach_ms: i64, before: &mut Vec<Session<V::Tag>>, now: &mut Vec<Session<V::Tag>>) {
        let Some((from, to)) = self.changed.take() else { return };
        let first = self.open.partition_point(|open| open.left_ms().saturating_add(reach_ms) < from);
        before.append(&mut self.gone);
        let is_near = |open: &&mut Open<V, O>| open.entered_ms <= to.saturating_add(reach_ms);
        for open in self.open[first..].iter_mut().take_while(is_near) {
            before.extend(open.told.take());
            let session = open.session();
            open.told = Some(session.clone());
            now.push(session);
        }
        before.sort_by_key(|session| session.entered_ms);
    }

    /// Forgets what no point at or after `floor_ms` can change: points before the last one below it, and sessions whose
    /// last point is before `closed_ms`, which must be at most `floor_ms - gap_ms`. Returns the last point of the last
    /// session forgotten, ms since the epoch.
    pub fn forget(&mut self, floor_ms: i64, closed_ms: i64) -> Option<i64> {
        let closed = self.open.partition_point(|open| open.left_ms() < closed_ms);
        let left_ms = self.open.drain(..closed).next_back().map(|open| open.left_ms());
        self.open.iter_mut().take_while(|open| open.entered_ms < floor_ms).for_each(|open| open.forget(floor_ms));
        left_ms
    }

    /// Points remembered.
    pub fn points(&self) -> usize {
        self.open.iter().map(|open| open.points.len()).sum()
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty() && self.gone.is_empty()
    }
}
