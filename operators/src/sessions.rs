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
    /// last point is before `closed_ms`, which must be at most `floor_ms - gap_ms`.
    pub fn forget(&mut self, floor_ms: i64, closed_ms: i64) {
        let closed = self.open.partition_point(|open| open.left_ms() < closed_ms);
        self.open.drain(..closed);
        self.open.iter_mut().take_while(|open| open.entered_ms < floor_ms).for_each(|open| open.forget(floor_ms));
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

/// A session in the making. It always has a point.
struct Open<V: Reading, O> {
    tag: V::Tag,
    entered_ms: i64,
    points: Vec<Point<V, O>>,
    /// Of all steps; least and greatest may be off while `is_stale`.
    steps: Stats,
    is_stale: bool,
    /// Of the steps to points that are forgotten, and to the first that is not.
    settled: Stats,
    is_forgetful: bool,
    told: Option<Session<V::Tag>>,
}

impl<V: Reading, O: Ord> Open<V, O> {
    fn new(point: Point<V, O>) -> Self {
        Open {
            tag: point.reading.tag(),
            entered_ms: point.at_ms,
            points: vec![point],
            steps: Stats::default(),
            is_stale: false,
            settled: Stats::default(),
            is_forgetful: false,
            told: None,
        }
    }

    fn left_ms(&self) -> i64 {
        self.points.last().map_or(self.entered_ms, |last| last.at_ms)
    }

    /// Puts a point in its place; false if that changes nothing.
    fn add(&mut self, point: Point<V, O>, tell: &mut impl FnMut(Step<V::Tag>)) -> bool {
        let index = self.points.partition_point(|other| other.at_ms < point.at_ms);
        let stands = self.points.get(index).filter(|other| other.at_ms == point.at_ms);
        if stands.is_some_and(|stands| stands.order >= point.order) || index == 0 && self.is_forgetful {
            return false;
        }
        let replaces = stands.is_some();
        self.step_to(index, -1, tell);
        if replaces {
            self.step_to(index + 1, -1, tell);
            self.points[index] = point;
        } else {
            self.points.insert(index, point);
        }
        if index == 0 {
            self.entered_ms = self.points[0].at_ms;
            let tag = self.points[0].reading.tag();
            if tag != self.tag {
                // The steps from the new first point are not there yet: the others change hands.
                (2..self.points.len()).for_each(|index| self.retag(index, &tag, tell));
                self.tag = tag;
            }
        }
        self.step_to(index, 1, tell);
        self.step_to(index + 1, 1, tell);
        true
    }

    /// Takes in the session after this one.
    fn append(&mut self, mut later: Open<V, O>, tell: &mut impl FnMut(Step<V::Tag>)) {
        if later.tag != self.tag {
            (1..later.points.len()).for_each(|index| later.retag(index, &self.tag, tell));
        }
        let first = self.points.len();
        self.points.append(&mut later.points);
        self.steps.merge(&later.steps);
        self.settled.merge(&later.settled);
        self.is_stale |= later.is_stale;
        self.step_to(first, 1, tell);
    }

    /// What the step to point `index` measures, if there is one.
    fn measure(&self, index: usize) -> Option<f64> {
        let (from, to) = (self.points.get(index.checked_sub(1)?)?, self.points.get(index)?);
        Some(from.reading.step(&to.reading, to.at_ms.saturating_sub(from.at_ms)))
    }

    /// Adds or takes away the step to point `index`, if there is one.
    fn step_to(&mut self, index: usize, diff: i64, tell: &mut impl FnMut(Step<V::Tag>)) {
        let Some(value) = self.measure(index) else { return };
        if diff > 0 {
            self.steps.add(value);
        } else {
            self.is_stale |= !self.steps.remove(value);
        }
        tell(Step { tag: self.tag.clone(), at_ms: self.points[index].at_ms, value, diff });
    }

    fn retag(&self, index: usize, tag: &V::Tag, tell: &mut impl FnMut(Step<V::Tag>)) {
        let Some(value) = self.measure(index) else { return };
        let at_ms = self.points[index].at_ms;
        tell(Step { tag: self.tag.clone(), at_ms, value, diff: -1 });
        tell(Step { tag: tag.clone(), at_ms, value, diff: 1 });
    }

    fn session(&mut self) -> Session<V::Tag> {
        if std::mem::take(&mut self.is_stale) {
            let mut steps = self.settled;
            (1..self.points.len()).filter_map(|index| self.measure(index)).for_each(|value| steps.add(value));
            self.steps = steps;
        }
        let (tag, entered_ms, left_ms) = (self.tag.clone(), self.entered_ms, self.left_ms());
        Session { tag, entered_ms, left_ms, steps: self.steps }
    }

    fn forget(&mut self, floor_ms: i64) {
        let kept = self.points.partition_point(|point| point.at_ms < floor_ms).saturating_sub(1);
        if kept > 0 {
            let settled: Vec<f64> = (1..=kept).filter_map(|index| self.measure(index)).collect();
            settled.into_iter().for_each(|value| self.settled.add(value));
            self.points.drain(..kept);
            self.points.shrink_to(self.points.len() * 2);
            self.is_forgetful = true;
        }
    }
}
