//! What becomes of a key from window to window: ok, wrong for a while, firing, and ok again.
//!
//! ```text
//!            wrong               wrong for `for`, and `repeat` since it last fired
//!     ok ------------> pending ----------------------------------------------------> firing
//!      ^                  | not wrong                                                   | right
//!      +------------------+-------------------------------------------------------------+
//! ```

use serde::{Deserialize, Serialize};

use super::rule::{Rule, Verdict};

/// The state of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Where it stands.
    pub phase: Phase,
    /// When it last fired, ms since the epoch.
    pub last_fired: Option<i64>,
}

/// Where a key stands; times are ends of windows, ms since the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Phase {
    /// Nothing is wrong, or not quite.
    #[default]
    Ok,
    /// It has been wrong since then, which is not long enough.
    Pending(i64),
    /// It fires since then, when it had this value.
    Firing(i64, Option<f64>),
}

/// A change that is worth telling, at the end of a window that had a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Transition {
    /// It fires.
    Fired(i64, Option<f64>),
    /// It is over.
    Resolved(i64, Option<f64>),
}

impl Machine {
    /// Takes the verdict on the window that ends at `end_ms`; windows come in order.
    pub fn step(&mut self, rule: &Rule, end_ms: i64, verdict: Verdict, value: Option<f64>) -> Option<Transition> {
        if let Phase::Firing(..) = self.phase {
            let is_over = verdict == Verdict::Right;
            self.phase = if is_over { Phase::Ok } else { self.phase };
            return is_over.then_some(Transition::Resolved(end_ms, value));
        }
        if verdict != Verdict::Wrong {
            self.phase = Phase::Ok;
            return None;
        }
        let since = if let Phase::Pending(since) = self.phase { since } else { end_ms };
        if end_ms < self.due(rule, since) {
            self.phase = Phase::Pending(since);
            return None;
        }
        *self = Machine { phase: Phase::Firing(end_ms, value), last_fired: Some(end_ms) };
        Some(Transition::Fired(end_ms, value))
    }

    /// Takes one verdict on all windows that end at `first_ms`, each `step_ms` after it and up to `last_ms`, at the cost of two.
    pub fn run(
        &mut self,
        rule: &Rule,
        (first_ms, last_ms, step_ms): (i64, i64, i64),
        (verdict, value): (Verdict, Option<f64>),
    ) -> Option<Transition> {
        if first_ms > last_ms {
            return None;
        }
        let told = self.step(rule, first_ms, verdict, value);
        // Nothing else changes by the same verdict again.
        let Phase::Pending(since) = self.phase else { return told };
        let wait = self.due(rule, since).saturating_sub(first_ms);
        let steps = wait / step_ms + i64::from(wait % step_ms > 0);
        let at = first_ms.saturating_add(steps.saturating_mul(step_ms));
        if at > last_ms { None } else { self.step(rule, at, verdict, value) }
    }

    /// From when on it fires if it is still wrong.
    fn due(&self, rule: &Rule, since: i64) -> i64 {
        let quiet = self.last_fired.map_or(i64::MIN, |fired| fired.saturating_add(rule.repeat_ms));
        since.saturating_add(rule.for_ms).max(quiet)
    }

    /// Whether a key that stands so at `end_ms` is as one that was never heard of.
    pub fn is_forgotten(&self, rule: &Rule, end_ms: i64) -> bool {
        let quiet = self.last_fired.is_some_and(|fired| fired.saturating_add(rule.repeat_ms) > end_ms);
        self.phase == Phase::Ok && !quiet && rule.judge(&[]).0 != Verdict::Wrong
    }
}
