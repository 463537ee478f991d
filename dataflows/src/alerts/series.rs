//! The windows of one key of a rule, and the alerts that follow from them.
//!
//! Alerts are a function of the windows: whenever late data change a window that was judged, those from it on are judged
//! again, from the last checkpoint before it, and what differs is told. A checkpoint is kept each few windows, so that this
//! costs little where late data are not very late.

use super::figure::Part;
use super::machine::{Machine, Phase, Transition};
use super::rule::Rule;

/// Windows between two checkpoints, about.
const CHECKPOINT_WINDOWS: i64 = 32;

/// The windows and alerts of a key.
#[derive(Debug, Default)]
pub struct Series {
    /// What rows say, by end of window and row.
    entries: Vec<Entry>,
    /// States behind windows, in order. The first stays if it is the base: no window up to it changes any more.
    checkpoints: Vec<Checkpoint>,
    /// The state behind the last window that was judged.
    head: Option<Checkpoint>,
    /// The first window that has changed since it was judged.
    changed_ms: Option<i64>,
    /// The alerts that were told, in order: those that are over before the base are forgotten.
    told: Vec<Episode>,
    /// Whether its state at the base was said.
    pub is_kept: bool,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    end_ms: i64,
    row: u64,
    part: Part,
}

#[derive(Clone, Copy, Debug)]
struct Checkpoint {
    end_ms: i64,
    machine: Machine,
}

/// An alert: when it fired and when it was over, ms since the epoch, and the values then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Episode {
    /// When it fired, and the value.
    pub fired: (i64, Option<f64>),
    /// When it was over, and the value.
    pub resolved: Option<(i64, Option<f64>)>,
}

/// Up to where to judge, and from where on.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// The end of the first window, if that is before the first one that has a row.
    pub from_ms: Option<i64>,
    /// The end of the last window.
    pub upto_ms: i64,
    /// From one end to the next.
    pub step_ms: i64,
}

impl Series {
    /// Goes on behind the window that ends at `end_ms`.
    pub fn restore(&mut self, end_ms: i64, machine: Machine) {
        let base = Checkpoint { end_ms, machine };
        (self.checkpoints, self.head, self.is_kept) = (vec![base], Some(base), true);
    }

    /// Knows of an alert that an earlier run told; they come in order.
    pub fn restore_told(&mut self, episode: Episode) {
        self.told.push(episode);
    }

    /// This is what the row says of the window that ends at `end_ms` now.
    pub fn set(&mut self, end_ms: i64, row: u64, part: Option<Part>) {
        let at = self.entries.binary_search_by_key(&(end_ms, row), |entry| (entry.end_ms, entry.row));
        match (at, part) {
            (Ok(at), Some(part)) => self.entries[at].part = part,
            (Ok(at), None) => drop(self.entries.remove(at)),
            (Err(at), Some(part)) => self.entries.insert(at, Entry { end_ms, row, part }),
            (Err(_), None) => return,
        }
        if self.head.is_some_and(|head| end_ms <= head.end_ms) {
            self.changed_ms = Some(self.changed_ms.map_or(end_ms, |changed| changed.min(end_ms)));
        }
    }

    /// Has it judged from the beginning when it is judged next, or from the base.
    pub fn begin_anew(&mut self) {
        self.changed_ms = Some(i64::MIN);
    }

    /// Judges the windows of a span that were not judged, and those that have changed; the alerts before and after.
    pub fn judge(&mut self, rule: &Rule, span: Span) -> (Vec<Episode>, Vec<Episode>) {
        if let Some(changed) = self.changed_ms.take() {
            let base = self.checkpoints.first().filter(|_| self.is_kept).copied();
            self.checkpoints.retain(|checkpoint| checkpoint.end_ms < changed);
            if self.checkpoints.is_empty() {
                self.checkpoints.extend(base);
            }
            self.head = self.checkpoints.last().copied();
        }
        let beginning = || self.beginning(span).filter(|beginning| beginning.end_ms < span.upto_ms);
        let start = self.head.or_else(beginning);
        // Judged from its beginning, nothing of what was told is taken for granted.
        let mut now = self.head.map_or(Vec::new(), |head| self.told_at(head));
        let transitions = start.map_or(Vec::new(), |start| self.go_on(rule, span, start));
        for transition in transitions {
            match transition {
                Transition::Fired(at, value) => now.push(Episode { fired: (at, value), resolved: None }),
                Transition::Resolved(at, value) => {
                    if let Some(last) = now.last_mut() {
                        last.resolved = Some((at, value));
                    }
                }
            }
        }
        (std::mem::replace(&mut self.told, now.clone()), now)
    }

    /// The alerts that were told, as they stood behind a window.
    fn told_at(&self, at: Checkpoint) -> Vec<Episode> {
        let is_over = |episode: &&Episode| episode.resolved.is_some_and(|(resolved, _)| resolved <= at.end_ms);
        let mut then: Vec<Episode> = self.told.iter().filter(is_over).copied().collect();
        if let Phase::Firing(fired, value) = at.machine.phase {
            then.push(Episode { fired: (fired, value), resolved: None });
        }
        then
    }

    /// Judges what follows `start`, and moves the head.
    fn go_on(&mut self, rule: &Rule, span: Span, start: Checkpoint) -> Vec<Transition> {
        let Checkpoint { mut end_ms, mut machine } = start;
        let (mut told, nothing, mut parts) = (Vec::new(), rule.judge(&[]), Vec::new());
        let mut saved_ms = self.checkpoints.last().map_or(i64::MIN, |checkpoint| checkpoint.end_ms);
        let first = self.entries.partition_point(|entry| entry.end_ms <= end_ms);
        let past = self.entries.partition_point(|entry| entry.end_ms <= span.upto_ms).max(first);
        for window in self.entries[first..past].chunk_by(|a, b| a.end_ms == b.end_ms) {
            let at = window[0].end_ms;
            let gap = (end_ms.saturating_add(span.step_ms), at - span.step_ms, span.step_ms);
            told.extend(machine.run(rule, gap, nothing));
            parts.clear();
            parts.extend(window.iter().map(|entry| entry.part));
            let (verdict, value) = rule.judge(&parts);
            told.extend(machine.step(rule, at, verdict, value));
            end_ms = at;
            if at.saturating_sub(saved_ms) >= span.step_ms.saturating_mul(CHECKPOINT_WINDOWS) {
                self.checkpoints.push(Checkpoint { end_ms, machine });
                saved_ms = at;
            }
        }
        let rest = (end_ms.saturating_add(span.step_ms), span.upto_ms, span.step_ms);
        told.extend(machine.run(rule, rest, nothing));
        self.head = Some(Checkpoint { end_ms: end_ms.max(span.upto_ms), machine });
        told
    }

    /// Forgets the windows of a span, which change no more and were all judged, and what was told of them; the state behind
    /// them, if there were any.
    pub fn forget(&mut self, rule: &Rule, span: Span) -> Option<Machine> {
        let base_ms = span.upto_ms;
        let base = self.checkpoints.iter().rfind(|checkpoint| checkpoint.end_ms <= base_ms).copied();
        let start = base.or(self.beginning(span)).filter(|start| start.end_ms <= base_ms)?;
        let (head, mut later) = (self.head, std::mem::take(&mut self.checkpoints));
        self.go_on(rule, Span { from_ms: None, ..span }, start);
        let base = self.head?;
        later.retain(|checkpoint| checkpoint.end_ms > base_ms);
        self.checkpoints = [vec![base], later].concat();
        self.head = head.filter(|head| head.end_ms >= base_ms).or(Some(base));
        self.entries.retain(|entry| entry.end_ms > base_ms);
        self.told.retain(|episode| episode.resolved.is_none_or(|(resolved, _)| resolved > base_ms));
        Some(base.machine)
    }

    /// What is before the first window of a span.
    fn beginning(&self, span: Span) -> Option<Checkpoint> {
        let first = self.entries.first().map(|entry| entry.end_ms);
        let from = span.from_ms.into_iter().chain(first).min()?;
        Some(Checkpoint { end_ms: from.saturating_sub(span.step_ms), machine: Machine::default() })
    }

    /// Whether it holds nothing of any window.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.told.is_empty()
    }
}
