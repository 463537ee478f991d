//! What waits to be posted: bounded, and the last word on a key is never the one that is left out.

use std::collections::VecDeque;

use crate::outgoing::alert::Body;

/// Notices in order, at most a fixed number.
#[derive(Debug)]
pub struct Queue {
    most: usize,
    notices: VecDeque<Body>,
}

impl Queue {
    /// At most `most`.
    pub fn new(most: usize) -> Self {
        Queue { most, notices: VecDeque::new() }
    }

    /// Appends one; what had to be left out for it. That is the oldest one that a later one on its key follows, this one or
    /// another; where there is no such one, the oldest of all.
    pub fn push(&mut self, body: Body) -> Option<Body> {
        self.notices.push_back(body);
        if self.notices.len() <= self.most {
            return None;
        }
        let key = |body: &Body| (body.rule.clone(), body.key.clone());
        let is_followed = |at: &usize| {
            let (rule, key) = key(&self.notices[*at]);
            self.notices.iter().skip(at + 1).any(|later| later.rule == rule && later.key == key)
        };
        let at = (0..self.notices.len()).find(is_followed).unwrap_or(0);
        self.notices.remove(at)
    }

    /// Takes the first.
    pub fn pop(&mut self) -> Option<Body> {
        self.notices.pop_front()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.notices.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hexflow_dataflows::alerts::changes::{Alert, AlertKey, News, Owner};
    use hexflow_dataflows::alerts::key::Key;
    use hexflow_dataflows::pipelines::Pipeline;

    use super::*;

    fn body(sensor: i64, fired_at: i64) -> Body {
        let owner = Owner { rule: Arc::from("rule"), key: Key { place: Some(sensor), kind: None } };
        let (figure, value) = ("sensors.samples".to_owned(), None);
        let alert = Alert { figure, threshold: None, value, resolved_at: None, resolved_value: None };
        Body::of(Pipeline::Sensors, &AlertKey { owner, fired_at }, &alert, News::Firing)
    }

    #[test]
    fn what_is_superseded_is_left_out_first() {
        let mut queue = Queue::new(3);
        let left_out = [(1, 1), (2, 2), (1, 3), (3, 4), (1, 5), (4, 6)]
            .map(|(sensor, at)| queue.push(body(sensor, at)).map(|body| body.fired_at.ms));
        assert_eq!(left_out, [None, None, None, Some(1), Some(3), Some(2)]);
        let rest: Vec<_> = std::iter::from_fn(|| queue.pop()).map(|body| body.fired_at.ms).collect();
        assert_eq!(rest, [4, 5, 6]);
    }
}
