//! Whatever the order of windows, epochs, corrections and stops: the alerts are those that the final windows say, one by one.

use std::collections::BTreeMap;
use std::sync::Arc;

use hexflow_operators::watermark;

use super::changes::{Alert, AlertKey, Kept, News, Notice, Owner};
use super::clock::Patience;
use super::figure::Figure;
use super::judge::{Judge, Shape};
use super::key::Key;
use super::machine::Machine;
use super::rule::{Condition, Pick, Rule};
use crate::change::Change;
use crate::marks::Mark;
use crate::sensors::changes::Changes;
use crate::sensors::windows::{Window, WindowChange, WindowKey};
use crate::testing::Random;

const STEP_MS: i64 = 10;
const PATIENCE: Patience = Patience { wait_ms: 0, idle_ms: 0 };

type Rows = BTreeMap<(i64, &'static str, i64), (f64, u64)>;
/// Rule, key and firing: value, resolved, value then.
type Alerts = BTreeMap<(String, Key, i64), (Option<f64>, Option<i64>, Option<f64>)>;

fn rule(name: &str, figure: Figure, condition: Condition, (for_ms, repeat_ms): (i64, i64)) -> Rule {
    let (place, kind) = (Pick::Each, Pick::Together);
    Rule { name: name.into(), figure, place, kind, condition, for_ms, repeat_ms }
}

fn rules() -> Vec<Rule> {
    let mut rules = vec![
        rule("fast", Figure::AvgSpeed, Condition::Above(6.0, 4.0), (20, 0)),
        rule("calm", Figure::MaxSpeed, Condition::Below(3.0, 3.0), (0, 70)),
        rule("busy", Figure::Samples, Condition::Above(3.0, 1.0), (10, 55)),
        rule("idle", Figure::Samples, Condition::Below(2.0, 5.0), (30, 100)),
        rule("gone", Figure::AvgSpeed, Condition::Absent, (40, 0)),
        rule("least", Figure::MinSpeed, Condition::Below(2.0, 4.0), (0, 0)),
    ];
    for (name, place, kind) in [
        ("each", Pick::Each, Pick::Each),
        ("one", Pick::One(1), Pick::One(Arc::from("bus"))),
        ("none", Pick::One(77), Pick::Together),
        ("all", Pick::Together, Pick::Together),
    ] {
        rules.push(Rule { place, kind, ..rule(name, Figure::Travelers, Condition::Below(3.0, 4.0), (15, 25)) });
    }
    rules
}

/// What one rule says of one key, window by window.
fn naive_key(rule: &Rule, windows: &BTreeMap<i64, Vec<(f64, u64)>>, from: i64, upto: i64) -> Vec<Alert> {
    let (mut alerts, mut since, mut last): (Vec<Alert>, Option<i64>, Option<i64>) = Default::default();
    for at in (from..=upto).step_by(usize::try_from(STEP_MS).unwrap()) {
        let rows = windows.get(&at).cloned().unwrap_or_default();
        let rows: Vec<_> = rows.into_iter().filter(|(_, count)| *count > 0).collect();
        let (speeds, count) = (rows.iter().map(|row| row.0), rows.iter().map(|row| row.1).sum::<u64>() as f64);
        let value = match rule.figure {
            Figure::Samples | Figure::Travelers => Some(count),
            _ if rows.is_empty() => None,
            Figure::AvgSpeed => Some(rows.iter().map(|row| row.0 * row.1 as f64).sum::<f64>() / count),
            Figure::MaxSpeed => speeds.reduce(f64::max),
            _ => speeds.reduce(f64::min),
        };
        let (wrong, right) = match (rule.condition, value) {
            (Condition::Absent, _) => (rows.is_empty(), !rows.is_empty()),
            (_, None) => (false, true),
            (Condition::Above(threshold, resolve), Some(value)) => (value > threshold, value <= resolve),
            (Condition::Below(threshold, resolve), Some(value)) => (value < threshold, value >= resolve),
        };
        let open = alerts.last_mut().filter(|alert| alert.resolved_at.is_none());
        if let Some(open) = open {
            if right {
                (open.resolved_at, open.resolved_value) = (Some(at), value);
            }
            continue;
        }
        since = if wrong { since.or(Some(at)) } else { None };
        let long_enough = since.is_some_and(|since| at - since >= rule.for_ms);
        if long_enough && last.is_none_or(|last| at - last >= rule.repeat_ms) {
            (since, last) = (None, Some(at));
            let (figure, threshold) = (at.to_string(), None); // the firing, kept where it does not matter
            alerts.push(Alert { figure, threshold, value, resolved_at: None, resolved_value: None });
        }
    }
    alerts
}

fn naive(rows: &Rows, upto: i64) -> Alerts {
    let mut alerts = Alerts::new();
    let Some(origin) = rows.keys().map(|key| key.2).min() else { return alerts };
    for rule in rules() {
        let mut keys: BTreeMap<Key, BTreeMap<i64, Vec<(f64, u64)>>> = BTreeMap::new();
        keys.extend(rule.sole_key().map(|key| (key, BTreeMap::new())));
        for (&(place, kind, end), &row) in rows {
            if let Some(key) = rule.key(place, &Arc::from(kind)) {
                keys.entry(key).or_default().entry(end).or_default().push(row);
            }
        }
        for (key, windows) in keys {
            // A key is heard of when it first has something to be counted.
            let first = windows.iter().find(|(_, rows)| rows.iter().any(|row| row.1 > 0)).map(|(end, _)| *end);
            let Some(from) = rule.sole_key().map(|_| origin).or(first) else { continue };
            for alert in naive_key(&rule, &windows, from, upto) {
                let fired = alert.figure.parse().unwrap();
                let row = (alert.value, alert.resolved_at, alert.resolved_value);
                alerts.insert((rule.name.to_string(), key.clone(), fired), row);
            }
        }
    }
    alerts
}

/// What a store holds.
#[derive(Default)]
struct Store {
    rows: Rows,
    alerts: BTreeMap<(String, Key, i64), Alert>,
    states: BTreeMap<Owner, Machine>,
    judged: Option<i64>,
    base: Option<i64>,
    marks: Vec<Mark>,
    notices: Vec<Notice>,
}

impl Store {
    fn keep(&mut self, epoch: &mut Changes) {
        let changes = std::mem::take(&mut epoch.alerts);
        for Change { key: AlertKey { owner, fired_at }, row } in changes.alerts {
            let key = (owner.rule.to_string(), owner.key, fired_at);
            match row {
                Some(alert) => drop(self.alerts.insert(key, alert)),
                None => assert!(self.alerts.remove(&key).is_some(), "what goes was there"),
            }
        }
        for Change { key, row } in changes.states {
            match row {
                Some(machine) => drop(self.states.insert(key, machine)),
                None => assert!(self.states.remove(&key).is_some(), "what goes was there"),
            }
        }
        (self.judged, self.base) = (changes.judged_ms.or(self.judged), changes.base_ms.or(self.base));
        self.notices.extend(changes.notices);
        self.marks.append(&mut epoch.marks);
    }

    fn judge(&self, lateness_ms: i64) -> Judge {
        Judge::new(rules(), Shape { step_ms: STEP_MS, lateness_ms }, PATIENCE, self.kept())
    }

    fn kept(&self) -> Kept<WindowChange> {
        let base = self.base.unwrap_or(i64::MIN);
        let key = |(rule, key, fired_at): &(String, Key, i64)| AlertKey {
            owner: Owner { rule: rule.as_str().into(), key: key.clone() },
            fired_at: *fired_at,
        };
        let stands = |alert: &Alert| alert.resolved_at.is_none_or(|at| at > base);
        Kept {
            judged_ms: self.judged,
            base_ms: self.base,
            marks: self.marks.clone(),
            states: self.states.iter().map(|(owner, machine)| (owner.clone(), *machine)).collect(),
            alerts: self.alerts.iter().filter(|(_, a)| stands(a)).map(|(k, a)| (key(k), a.clone())).collect(),
            notices: Vec::new(),
            windows: self
                .rows
                .iter()
                .filter(|(key, _)| key.2 > base)
                .map(|(key, row)| window(*key, Some(*row)))
                .collect(),
        }
    }

    fn told(&self) -> Alerts {
        let row = |alert: &Alert| (alert.value, alert.resolved_at, alert.resolved_value);
        self.alerts.iter().map(|(key, alert)| (key.clone(), row(alert))).collect()
    }
}

fn window((sensor_id, kind, window_end): (i64, &'static str, i64), row: Option<(f64, u64)>) -> WindowChange {
    let key = WindowKey { sensor_id, traveler_type: kind.into(), window_end };
    let row = row.map(|(speed, count)| {
        let speed = (count > 0).then_some(speed);
        Window { window_ms: 10, min_speed: speed, max_speed: speed, avg_speed: speed, samples: count, travelers: count }
    });
    Change { key, row }
}

/// Windows come by and by, up to `disorder` late, are corrected and go again.
fn drive(seed: u64, disorder: i64, lateness: i64, stops: bool) -> Store {
    let (mut random, mut store, mut clock, mut floor) = (Random(seed * 7_919 + 1), Store::default(), 1_000, i64::MIN);
    let mut judge = store.judge(lateness);
    for n in 0..400 {
        let mut epoch = Changes::default();
        clock += random.below(40) + if n % 90 == 60 { 700 } else { 0 };
        for _ in 0..random.below(8) {
            let end = (clock - random.below(disorder)).div_euclid(STEP_MS) * STEP_MS + STEP_MS;
            let key = (random.below(3), ["car", "bus"][usize::try_from(random.below(2)).unwrap()], end);
            if end <= floor {
                continue;
            }
            let speed = [1.0, 2.0, 3.5, 5.0, 7.0, 9.25][usize::try_from((clock / 90 + random.below(3)) % 6).unwrap()];
            let row = (random.below(6) > 0).then(|| (speed, random.below(6).unsigned_abs()));
            match row {
                Some(row) => drop(store.rows.insert(key, row)),
                None if store.rows.remove(&key).is_none() => continue,
                None => {}
            }
            epoch.windows.push(window(key, row));
        }
        floor = floor.max(clock - lateness);
        epoch.marks =
            vec![Mark::EventTime(watermark::Mark::Clock(0, clock)), Mark::EventTime(watermark::Mark::Floor(floor))];
        judge.epoch(&mut epoch);
        store.keep(&mut epoch);
        if n % 20 == 7 {
            assert_same(&store.told(), &naive(&store.rows, store.judged.unwrap()), (seed, n));
        }
        if stops && random.below(25) == 0 {
            judge = store.judge(lateness);
        }
    }
    store
}

/// Tells of the first difference only.
#[track_caller]
fn assert_same(told: &Alerts, expected: &Alerts, at: (u64, i32)) {
    let differs = |key: &&(String, Key, i64)| told.get(*key) != expected.get(*key);
    let first = told.keys().chain(expected.keys()).filter(differs).min_by_key(|key| key.2);
    let rows = first.map(|key| (key, told.get(key), expected.get(key)));
    assert_eq!(rows, None, "of seed and epoch {at:?}: told, expected");
}

#[test]
fn alerts_are_what_the_windows_say() {
    for seed in 1..8 {
        let store = drive(seed, 60, 100_000, false);
        assert!(store.alerts.len() > 50, "{}", store.alerts.len());
        for rule in rules() {
            assert!(store.alerts.keys().any(|key| *key.0 == *rule.name), "{} has fired", rule.name);
        }
    }
}

#[test]
fn what_is_forgotten_is_not_missed_and_stops_change_nothing() {
    for seed in 1..10 {
        for (disorder, lateness) in [(60, 100), (300, 320), (20, 900)] {
            drive(seed, disorder, lateness, false);
            drive(seed, disorder, lateness, true);
        }
    }
}

/// Whoever only listens knows which alerts fire, and is told of none twice.
#[test]
fn notices_tell_how_alerts_stand() {
    for seed in 1..8 {
        let store = drive(seed, 60, 400, true);
        let mut firing: BTreeMap<Owner, bool> = BTreeMap::new();
        for Notice { key, news, .. } in &store.notices {
            firing.insert(key.owner.clone(), *news == News::Firing);
        }
        let mut last: BTreeMap<Owner, bool> = BTreeMap::new();
        for ((rule, key, _), alert) in &store.alerts {
            last.insert(Owner { rule: rule.as_str().into(), key: key.clone() }, alert.resolved_at.is_none());
        }
        for (owner, fires) in last {
            assert_eq!(firing.get(&owner), Some(&fires), "{owner:?}");
        }
    }
}

/// Of rules that are gone, and of a rule's keys that it is no longer of, alerts are over and nothing is kept; of others all
/// stays.
#[test]
fn what_no_rule_is_of_is_over() {
    let (store, shape) = (drive(3, 60, 400, false), Shape { step_ms: STEP_MS, lateness_ms: 400 });
    let left = |name: &str, place: Pick<i64>| {
        let mut left: Vec<_> = rules().into_iter().filter(|rule| *rule.name == *name).collect();
        left[0].place = place;
        left
    };
    for (rules, stays) in [
        (Vec::new(), None),
        (left("idle", Pick::Each), Some(("idle", [Some(0), Some(1), Some(2)]))),
        (left("idle", Pick::One(1)), Some(("idle", [Some(1); 3]))),
    ] {
        let is_gone = |rule: &str, key: &Key| stays.is_none_or(|(name, of)| rule != name || !of.contains(&key.place));
        let mut kept = store.kept();
        kept.notices = vec![Notice { number: 7, ..store.notices[0].clone() }];
        let mut judge = Judge::new(rules, shape, PATIENCE, kept);
        let first = judge.begin();
        let open =
            store.alerts.iter().filter(|((rule, key, _), alert)| alert.resolved_at.is_none() && is_gone(rule, key));
        let open: Vec<_> = open.map(|((rule, key, fired), _)| (rule.clone(), key.clone(), *fired)).collect();
        assert!(open.len() > 1, "{open:?}");
        let mut closed: Vec<_> = first
            .alerts
            .iter()
            .map(|Change { key, row }| {
                assert_eq!(row.as_ref().and_then(|row| row.resolved_at), store.judged.map(|at| at.max(key.fired_at)));
                (key.owner.rule.to_string(), key.owner.key.clone(), key.fired_at)
            })
            .collect();
        closed.sort_unstable();
        assert_eq!(closed, open);
        let numbers: Vec<_> = first.notices.iter().map(|notice| notice.number).collect();
        assert_eq!(numbers, (7..=7 + i64::try_from(open.len()).unwrap()).collect::<Vec<_>>());
        assert_eq!(first.notices[0].key, store.notices[0].key, "what was not told comes first");
        let mut forgotten: Vec<_> = first.states.into_iter().map(|state| (state.key, state.row)).collect();
        forgotten.sort_by(|a, b| a.0.cmp(&b.0));
        let gone = store.states.keys().filter(|owner| is_gone(&owner.rule, &owner.key));
        assert_eq!(forgotten, gone.map(|owner| (owner.clone(), None)).collect::<Vec<_>>());
        assert!(judge.begin().is_empty(), "it is said once");
    }
}

/// A value that crosses the threshold all the time, in order: no more alerts than `repeat` lets pass, and none within `for`.
#[test]
fn a_flapping_figure_does_not_flood() {
    for (for_ms, repeat_ms, most) in [(0, 200, 51), (20, 0, 0), (0, 0, 500)] {
        let flaps = rule("flaps", Figure::Samples, Condition::Above(2.0, 2.0), (for_ms, repeat_ms));
        let shape = Shape { step_ms: STEP_MS, lateness_ms: 1_000 };
        let mut judge = Judge::new(vec![flaps], shape, PATIENCE, Kept::<WindowChange>::default());
        let mut fired = 0;
        for n in 1..=1_000i64 {
            let mut epoch = Changes::default();
            epoch.windows.push(window((1, "car", n * STEP_MS), Some((1.0, if n % 2 == 0 { 9 } else { 1 }))));
            epoch.marks.push(Mark::EventTime(watermark::Mark::Clock(0, n * STEP_MS)));
            judge.epoch(&mut epoch);
            fired += epoch.alerts.notices.iter().filter(|notice| notice.news == News::Firing).count();
        }
        assert!(fired <= most && (most == 0) == (fired == 0), "{fired} of {most}");
    }
}

/// Where nothing comes at all, event time goes on with the clock on the wall.
#[test]
fn silence_is_heard() {
    let gone = rule("gone", Figure::Samples, Condition::Absent, (100, 0));
    let shape = Shape { step_ms: STEP_MS, lateness_ms: 1_000 };
    let patience = Patience { wait_ms: 5, idle_ms: 50 };
    let mut judge = Judge::new(vec![gone], shape, patience, Kept::<WindowChange>::default());
    let mut epoch = Changes::default();
    epoch.windows.push(window((1, "car", 20), Some((1.0, 3))));
    epoch.marks.push(Mark::EventTime(watermark::Mark::Clock(0, 20)));
    judge.epoch(&mut epoch);
    let mut at = |ms| judge.silent_for(std::time::Duration::from_millis(ms)).notices;
    assert!(at(50).is_empty() && at(110).is_empty());
    let notices = at(120);
    assert_eq!((notices.len(), notices[0].news, notices[0].key.fired_at), (1, News::Firing, 130));
    assert!(at(10_000).is_empty(), "it is told once");
    let mut epoch = Changes::default();
    epoch.windows.push(window((1, "car", 40_000), Some((1.0, 3))));
    epoch.marks.push(Mark::EventTime(watermark::Mark::Clock(0, 40_005)));
    judge.epoch(&mut epoch);
    assert_eq!(epoch.alerts.notices.iter().map(|notice| notice.news).collect::<Vec<_>>(), [News::Resolved]);
}
