//! A session in the making: its points, sorted, and what its steps come to.
//!
//! What is told of a step is told as it happens; statistics are kept beside, exact but for least and greatest after one of
//! those has gone: these are found anew when somebody asks.

use crate::sessions::{Point, Reading, Session, Step};
use crate::stats::Stats;

/// A session in the making. It always has a point.
pub(crate) struct Open<V: Reading, O> {
    tag: V::Tag,
    pub(crate) entered_ms: i64,
    pub(crate) points: Vec<Point<V, O>>,
    /// Of all steps; least and greatest may be off while `is_stale`.
    steps: Stats,
    is_stale: bool,
    /// Of the steps to points that are forgotten, and to the first that is not.
    settled: Stats,
    is_forgetful: bool,
    /// As others know it.
    pub(crate) told: Option<Session<V::Tag>>,
}

impl<V: Reading, O: Ord> Open<V, O> {
    pub(crate) fn new(point: Point<V, O>) -> Self {
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

    pub(crate) fn left_ms(&self) -> i64 {
        self.points.last().map_or(self.entered_ms, |last| last.at_ms)
    }

    /// Puts a point in its place; false if that changes nothing.
    pub(crate) fn add(&mut self, point: Point<V, O>, tell: &mut impl FnMut(Step<V::Tag>)) -> bool {
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
    pub(crate) fn append(&mut self, mut later: Open<V, O>, tell: &mut impl FnMut(Step<V::Tag>)) {
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

    pub(crate) fn session(&mut self) -> Session<V::Tag> {
        if std::mem::take(&mut self.is_stale) {
            let mut steps = self.settled;
            (1..self.points.len()).filter_map(|index| self.measure(index)).for_each(|value| steps.add(value));
            self.steps = steps;
        }
        let (tag, entered_ms, left_ms) = (self.tag.clone(), self.entered_ms, self.left_ms());
        Session { tag, entered_ms, left_ms, steps: self.steps }
    }

    pub(crate) fn forget(&mut self, floor_ms: i64) {
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
