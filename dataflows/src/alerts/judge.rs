//! Judges the windows of a pipeline by all rules, an epoch at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use hexflow_operators::hash::Content;
use hexflow_operators::sweep::Sweep;

use super::changes::{Alert, AlertKey, Changes, Kept, News, Notice, Owner};
use super::clock::{Clock, Patience};
use super::figure::Part;
use super::key::Key;
use super::rule::Rule;
use super::series::{Episode, Series, Span};
use super::windows::{Epoch, Row};
use crate::change::Change;

/// Judges one pipeline's windows.
#[derive(Debug)]
pub struct Judge {
    rules: Vec<Ruled>,
    clock: Clock,
    sweep: Sweep,
    /// From one window's end to the next.
    step_ms: i64,
    /// Windows up to this end were judged.
    judged_ms: Option<i64>,
    /// Windows up to this end change no more.
    base_ms: Option<i64>,
    /// The first end of any window that there was.
    origin_ms: Option<i64>,
    /// What is to be said before anything is judged.
    first: Changes,
    /// The number of the last notice.
    last_number: i64,
}

/// A rule and its keys.
#[derive(Debug)]
struct Ruled {
    rule: Rule,
    keys: BTreeMap<Key, Series>,
    /// Keys to be judged again.
    changed: BTreeSet<Key>,
}

/// How windows lie, and how late they may change.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// From one window's end to the next, ms.
    pub step_ms: i64,
    /// How late a row may come, ms.
    pub lateness_ms: i64,
}

impl Judge {
    /// Goes on from what was kept. Rules must be of one pipeline.
    pub fn new<W: Row>(rules: Vec<Rule>, shape: Shape, patience: Patience, kept: Kept<W>) -> Self {
        let rules = rules.into_iter().map(|rule| {
            let keys = rule.sole_key().map(|key| (key, Series::default())).into_iter().collect();
            Ruled { rule, keys, changed: BTreeSet::new() }
        });
        let mut judge = Judge {
            rules: rules.collect(),
            clock: Clock::new(patience),
            sweep: Sweep::new(shape.lateness_ms),
            step_ms: shape.step_ms.max(1),
            judged_ms: kept.judged_ms,
            base_ms: kept.base_ms,
            origin_ms: None,
            last_number: kept.notices.last().map_or(0, |last| last.number),
            first: Changes { notices: kept.notices, ..Changes::default() },
        };
        judge.clock.hear(&kept.marks);
        for (owner, machine) in kept.states {
            match (judge.ruled(&owner), kept.base_ms) {
                (Some(ruled), Some(base_ms)) => ruled.keys.entry(owner.key).or_default().restore(base_ms, machine),
                _ => judge.first.states.push(Change { key: owner, row: None }),
            }
        }
        for (key, alert) in kept.alerts {
            let episode = Episode {
                fired: (key.fired_at, alert.value),
                resolved: alert.resolved_at.map(|at| (at, alert.resolved_value)),
            };
            match judge.ruled(&key.owner) {
                Some(ruled) => ruled.keys.entry(key.owner.key).or_default().restore_told(episode),
                None if alert.resolved_at.is_none() => judge.close(key, alert),
                None => {}
            }
        }
        kept.windows.iter().for_each(|window| judge.set(window));
        for ruled in &mut judge.rules {
            ruled.changed = ruled.keys.keys().cloned().collect();
        }
        judge
    }

    /// The rule that a key is of, unless that is no longer there.
    fn ruled(&mut self, owner: &Owner) -> Option<&mut Ruled> {
        self.rules.iter_mut().find(|Ruled { rule, .. }| rule.name == owner.rule && rule.is_of(&owner.key))
    }

    /// An alert that no rule is of any more is over, as far as windows were judged.
    fn close(&mut self, key: AlertKey, mut alert: Alert) {
        alert.resolved_at = Some(self.judged_ms.unwrap_or(key.fired_at).max(key.fired_at));
        self.first.alerts.push(Change { key: key.clone(), row: Some(alert.clone()) });
        self.last_number += 1;
        self.first.notices.push(Notice { number: self.last_number, key, alert, news: News::Resolved });
    }

    /// What is to be said before anything is judged: what an earlier run may not have told, and that alerts are over whose
    /// rules are gone.
    pub fn begin(&mut self) -> Changes {
        std::mem::take(&mut self.first)
    }

    /// Whether there is nothing to be judged.
    pub fn is_idle(&self) -> bool {
        self.rules.is_empty()
    }

    /// Judges what an epoch has changed, and what it has completed; says in it what follows.
    pub fn epoch(&mut self, epoch: &mut impl Epoch) {
        if self.is_idle() {
            return;
        }
        epoch.windows().iter().for_each(|window| self.set(window));
        self.clock.hear(epoch.marks());
        *epoch.alerts() = self.judge();
    }

    /// Judges what silence has completed.
    pub fn silent_for(&mut self, silence: Duration) -> Changes {
        self.clock.silent_for(silence);
        self.judge()
    }

    fn set(&mut self, window: &impl Row) {
        let (place, kind, end_ms) = window.key(self.step_ms);
        if self.base_ms.is_some_and(|base_ms| end_ms <= base_ms) {
            return;
        }
        let row = Content::default().bits(place.cast_unsigned()).text(kind).finish();
        for Ruled { rule, keys, changed } in &mut self.rules {
            let Some(key) = rule.key(place, kind) else { continue };
            let part: Option<Part> = window.part(rule.figure);
            if part.is_none() && !keys.contains_key(&key) {
                continue;
            }
            keys.entry(key.clone()).or_default().set(end_ms, row, part);
            changed.insert(key);
        }
        if self.origin_ms.is_none_or(|origin_ms| end_ms < origin_ms) {
            self.origin_ms = Some(end_ms);
            for Ruled { rule, keys, changed } in &mut self.rules {
                let Some(key) = rule.sole_key() else { continue };
                keys.entry(key.clone()).or_default().begin_anew();
                changed.insert(key);
            }
        }
    }

    fn judge(&mut self) -> Changes {
        let mut changes = Changes::default();
        let complete_ms = self.clock.judged_ms().map(|ms| ms.div_euclid(self.step_ms).saturating_mul(self.step_ms));
        let has_moved = complete_ms > self.judged_ms;
        if has_moved {
            (self.judged_ms, changes.judged_ms) = (complete_ms, complete_ms);
        }
        let Some(upto_ms) = self.judged_ms else { return changes };
        for Ruled { rule, keys, changed } in &mut self.rules {
            let from_ms = rule.sole_key().and(self.origin_ms);
            let span = Span { from_ms, upto_ms, step_ms: self.step_ms };
            let changed = std::mem::take(changed);
            let due = keys.iter_mut().filter(|(key, _)| has_moved || changed.contains(*key));
            for (key, series) in due {
                let (before, now) = series.judge(rule, span);
                if before != now {
                    differ(rule, key, &before, &now, &mut changes);
                }
            }
        }
        self.forget(upto_ms, &mut changes);
        for notice in &mut changes.notices {
            self.last_number += 1;
            notice.number = self.last_number;
        }
        changes
    }

    /// Forgets what changes no more, now and then.
    fn forget(&mut self, upto_ms: i64, changes: &mut Changes) {
        let Some(floor_ms) = self.clock.floor_ms().filter(|floor_ms| self.sweep.is_due(*floor_ms)) else { return };
        let base_ms = floor_ms.min(upto_ms).div_euclid(self.step_ms).saturating_mul(self.step_ms);
        if self.base_ms.is_some_and(|known| base_ms <= known) {
            return;
        }
        (self.base_ms, changes.base_ms) = (Some(base_ms), Some(base_ms));
        for Ruled { rule, keys, .. } in &mut self.rules {
            let sole = rule.sole_key();
            let span = Span { from_ms: sole.as_ref().and(self.origin_ms), upto_ms: base_ms, step_ms: self.step_ms };
            keys.retain(|key, series| {
                let machine = series.forget(rule, span);
                let machine = machine.filter(|machine| !machine.is_forgotten(rule, base_ms));
                if machine.is_some() || series.is_kept {
                    let owner = Owner { rule: Arc::clone(&rule.name), key: key.clone() };
                    changes.states.push(Change { key: owner, row: machine });
                }
                series.is_kept = machine.is_some();
                machine.is_some() || !series.is_empty() || sole.as_ref() == Some(key)
            });
        }
    }
}

/// Says what is different of a key's alerts. An alert that has only begun at another time fires as before: that is written
/// and not told, unless something else is: then it has the last word.
fn differ(rule: &Rule, key: &Key, before: &[Episode], now: &[Episode], changes: &mut Changes) {
    let same = |of: &[Episode], at: i64| of.iter().find(|episode| episode.fired.0 == at).copied();
    let gone: Vec<_> = before.iter().filter(|old| same(now, old.fired.0).is_none()).collect();
    let still_fires = gone.iter().any(|old| old.resolved.is_none()) && now.last().is_some_and(|e| e.resolved.is_none());
    let mut told: Vec<(i64, AlertKey, Alert, News)> = Vec::new();
    for old in gone {
        let (alert_key, alert) = tabled(rule, key, old);
        changes.alerts.push(Change { key: alert_key.clone(), row: None });
        if !(still_fires && old.resolved.is_none()) {
            told.push((old.fired.0, alert_key, alert, News::Withdrawn));
        }
    }
    for new in now {
        let old = same(before, new.fired.0);
        if old.as_ref() == Some(new) {
            continue;
        }
        let (alert_key, alert) = tabled(rule, key, new);
        changes.alerts.push(Change { key: alert_key.clone(), row: Some(alert.clone()) });
        let fires = match old {
            None => !(still_fires && new.resolved.is_none()),
            Some(old) => old.resolved.is_some() && new.resolved.is_none(),
        };
        if fires {
            let firing = Alert { resolved_at: None, resolved_value: None, ..alert.clone() };
            told.push((new.fired.0, alert_key.clone(), firing, News::Firing));
        }
        if let Some((at, _)) = new.resolved.filter(|_| old.and_then(|old| old.resolved) != new.resolved) {
            told.push((at, alert_key, alert, News::Resolved));
        }
    }
    told.sort_by_key(|(at, ..)| *at);
    // Whoever only listens takes the last word on a key for how it stands.
    let says_so = told.last().is_none_or(|(.., news)| *news == News::Firing);
    if let Some(open) = now.last().filter(|last| last.resolved.is_none() && !says_so) {
        let (alert_key, alert) = tabled(rule, key, open);
        told.push((open.fired.0, alert_key, alert, News::Firing));
    }
    // They are numbered when all of them are known.
    changes.notices.extend(told.into_iter().map(|(_, key, alert, news)| Notice { number: 0, key, alert, news }));
}

/// An alert as the table has it.
fn tabled(rule: &Rule, key: &Key, episode: &Episode) -> (AlertKey, Alert) {
    let owner = Owner { rule: Arc::clone(&rule.name), key: key.clone() };
    let (resolved_at, resolved_value) = episode.resolved.map_or((None, None), |(at, value)| (Some(at), value));
    let alert = Alert {
        figure: rule.figure.name().to_owned(),
        threshold: rule.condition.threshold(),
        value: episode.fired.1,
        resolved_at,
        resolved_value,
    };
    (AlertKey { owner, fired_at: episode.fired.0 }, alert)
}
