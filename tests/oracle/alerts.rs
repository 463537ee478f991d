//! What must come of windows by rules of alerts, the plainest way: each window of each key judged, one after the other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::record::Record;
use crate::support::windows::Rows;

/// A rule: its name, its figure, and how keys are made of sensor and type, or of location and item.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) figure: &'static str,
    /// `*`, one, or nothing for all together; of the first part of a key and of the second.
    pub(crate) picks: [&'static str; 2],
    pub(crate) limit: Limit,
    pub(crate) hold: i64,
    pub(crate) repeat: i64,
}

/// When a window is wrong, and when it is right again.
pub(crate) enum Limit {
    Above(f64, f64),
    Below(f64, f64),
    Absent,
}

impl Rule {
    /// As it is told to a run.
    pub(crate) fn args(&self) -> Vec<String> {
        let names = if self.figure.starts_with("cameras") { ["location", "item"] } else { ["sensor", "type"] };
        let mut keys = vec![
            ("figure", self.figure.to_owned()),
            (names[0], self.picks[0].to_owned()),
            (names[1], self.picks[1].to_owned()),
            ("repeat", format!("{}ms", self.repeat)),
        ];
        match self.limit {
            Limit::Above(limit, resolve) => {
                keys.extend([("above", limit.to_string()), ("resolve", resolve.to_string())]);
            }
            Limit::Below(limit, resolve) => {
                keys.extend([("below", limit.to_string()), ("resolve", resolve.to_string())]);
            }
            Limit::Absent => {}
        }
        let hold = if matches!(self.limit, Limit::Absent) { "absent_for" } else { "for" };
        keys.push((hold, format!("{}ms", self.hold)));
        let set = |(key, value)| ["--set".to_owned(), format!("alerts.{}.{key}={value}", self.name)];
        keys.into_iter().flat_map(set).collect()
    }

    fn key(&self, place: &Value, kind: &str) -> Option<String> {
        let names = if self.figure.starts_with("cameras") { ["location", "item"] } else { ["sensor", "type"] };
        let mut parts = Vec::new();
        for ((name, pick), is) in names.iter().zip(self.picks).zip([place.to_string(), kind.to_owned()]) {
            match pick {
                "" => {}
                pick if pick == "*" || pick == is => parts.push(format!("{name}={is}")),
                _ => return None,
            }
        }
        Some(if parts.is_empty() { "all".to_owned() } else { parts.join(" ") })
    }

    /// The figure of some rows, and whether there is anything at all.
    fn value(&self, rows: &[&Vec<Value>]) -> (Option<f64>, bool) {
        let column = |at: usize| rows.iter().filter_map(move |row| row[at].as_f64());
        let total = |at| column(at).sum::<f64>();
        match self.figure {
            // window, min, max, avg, samples, travelers
            "sensors.min_speed" => (column(1).reduce(f64::min), column(1).count() > 0),
            "sensors.max_speed" => (column(2).reduce(f64::max), column(2).count() > 0),
            "sensors.avg_speed" => {
                let weighed: f64 = rows.iter().filter_map(|row| Some(row[3].as_f64()? * row[4].as_f64()?)).sum();
                let count = total(4);
                ((count > 0.0).then_some(weighed / count), count > 0.0)
            }
            "sensors.samples" => (Some(total(4) + 0.0), total(4) > 0.0),
            "sensors.travelers" => (Some(total(5) + 0.0), total(5) > 0.0),
            // window, detections
            "cameras.detections" => (Some(total(1) + 0.0), total(1) > 0.0),
            "cameras.rate" => {
                let seconds = rows.first().and_then(|row| row[0].as_f64()).unwrap_or(1_000.0) / 1_000.0;
                (Some((total(1) + 0.0) / seconds), total(1) > 0.0)
            }
            other => panic!("no figure {other}"),
        }
    }
}

/// How far records of a topic have come: of the foremost partition, its newest event, but not beyond its topic's time.
pub(crate) fn clock(records: &[Record], topic: &str, event: impl Fn(&Value) -> i64) -> i64 {
    let mut partitions: BTreeMap<u32, (i64, i64)> = BTreeMap::new();
    for record in records.iter().filter(|record| record.topic == topic) {
        let newest = partitions.entry(record.partition).or_insert((i64::MIN, i64::MIN));
        *newest = (newest.0.max(event(&record.body())), newest.1.max(record.ts));
    }
    partitions.values().map(|(event, ts)| *event.min(ts)).max().expect("records")
}

/// The rows of `alerts`: windows end at multiples of `step` after the time in their key by `length`, and are judged up to `clock`.
pub(crate) fn alerts(rules: &[Rule], windows: &Rows, (length, step): (i64, i64), clock: i64) -> Rows {
    let mut alerts = Rows::new();
    let windows: Vec<(Value, &Vec<Value>)> =
        windows.iter().map(|(key, row)| (serde_json::from_str(key).expect("a key"), row)).collect();
    let end_of = |key: &Value| key[2].as_i64().expect("a time") + length;
    let last = clock - clock.rem_euclid(step);
    let origin = windows.iter().map(|(key, _)| end_of(key)).min().expect("windows");
    for rule in rules {
        let mut keys: BTreeMap<String, BTreeMap<i64, Vec<&Vec<Value>>>> = BTreeMap::new();
        for (key, row) in &windows {
            if let Some(name) = rule.key(&key[0], key[1].as_str().expect("a text")) {
                keys.entry(name).or_default().entry(end_of(key)).or_default().push(row);
            }
        }
        for (name, windows) in keys {
            let heard_of = windows.iter().find(|(_, rows)| rule.value(rows).1).map(|(end, _)| *end);
            let first = if rule.picks.contains(&"*") { heard_of } else { Some(origin) };
            let Some(first) = first else { continue };
            for (fired, mut row) in judged(rule, &windows, (first, last, step)) {
                row.insert(0, json!(rule.figure));
                alerts.insert(json!([rule.name, name, fired]).to_string(), row);
            }
        }
    }
    alerts
}

/// When a key fired, and state, threshold, value, end and the value then.
fn judged(
    rule: &Rule,
    windows: &BTreeMap<i64, Vec<&Vec<Value>>>,
    (first, last, step): (i64, i64, i64),
) -> Vec<(i64, Vec<Value>)> {
    let (mut found, mut wrong_since, mut last_fired, mut open) = (Vec::new(), None, i64::MIN / 2, None);
    let none = Vec::new();
    for end in (0..).map(|n| first + n * step).take_while(|end| *end <= last) {
        let (value, is_there) = rule.value(windows.get(&end).unwrap_or(&none));
        let (wrong, right, threshold) = match rule.limit {
            Limit::Absent => (!is_there, is_there, Value::Null),
            Limit::Above(limit, resolve) => {
                (value.is_some_and(|v| v > limit), value.is_none_or(|v| v <= resolve), json!(limit))
            }
            Limit::Below(limit, resolve) => {
                (value.is_some_and(|v| v < limit), value.is_none_or(|v| v >= resolve), json!(limit))
            }
        };
        if let Some((fired, then)) = open.take() {
            if right {
                found.push((fired, vec![json!("resolved"), threshold, then, json!(end), json!(value)]));
            } else {
                open = Some((fired, then));
            }
            continue;
        }
        wrong_since = if wrong { wrong_since.or(Some(end)) } else { None };
        if wrong_since.is_some_and(|since| end - since >= rule.hold) && end - last_fired >= rule.repeat {
            (open, last_fired, wrong_since) = (Some((end, json!(value))), end, None);
        }
    }
    if let Some((fired, then)) = open {
        let limit = match rule.limit {
            Limit::Absent => Value::Null,
            Limit::Above(limit, _) | Limit::Below(limit, _) => json!(limit),
        };
        found.push((fired, vec![json!("firing"), limit, then, Value::Null, Value::Null]));
    }
    found
}

/// The names of the rules that fired.
pub(crate) fn fired(alerts: &Rows) -> BTreeSet<String> {
    let name = |key: &String| serde_json::from_str::<Value>(key).expect("a key")[0].as_str().map(str::to_owned);
    alerts.keys().filter_map(name).collect()
}
