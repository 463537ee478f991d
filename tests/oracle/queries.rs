//! What questions about windows must be answered, the plainest way: from all visits and detections, without any window.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::cameras::cameras;
use super::sensors::{Shape, Visit, all_visits, figures};
use crate::support::record::Record;

/// All visits of records.
pub(crate) struct Seen {
    visits: Vec<Visit>,
    shape: Shape,
}

/// The columns of the windows of sensors.
pub(crate) const SENSORS: [&str; 9] = [
    "sensor_id",
    "traveler_type",
    "window_end",
    "window_ms",
    "min_speed",
    "max_speed",
    "avg_speed",
    "samples",
    "travelers",
];

impl Seen {
    pub(crate) fn of(records: &[Record], shape: Shape) -> Seen {
        Seen { visits: all_visits(records, shape, &mut 0), shape }
    }

    /// Windows that end in `(from, to]` at multiples of `step`, of one sensor or all, of one type or all.
    pub(crate) fn windows(
        &self,
        (from, to): (i64, i64),
        step: i64,
        sensor: Option<i64>,
        kind: Option<&str>,
    ) -> Vec<Vec<Value>> {
        let is_meant =
            |visit: &&Visit| sensor.is_none_or(|id| id == visit.sensor) && kind.is_none_or(|kind| kind == visit.kind);
        let ends = (from + 1..=to).filter(|end| end.rem_euclid(step) == 0);
        let window = |end: i64| {
            let start = end - self.shape.window;
            let (mut who, mut speeds) = (BTreeSet::new(), Vec::new());
            for visit in self.visits.iter().filter(is_meant) {
                if visit.instants[0] < end && start <= visit.instants[visit.instants.len() - 1] {
                    who.insert(&visit.traveler);
                }
                let samples = visit.instants[1..].iter().zip(&visit.speeds);
                speeds.extend(samples.filter(|(at, _)| (start..end).contains(at)).map(|(_, speed)| *speed));
            }
            let [min, max, avg, samples] =
                if who.is_empty() { [json!(0.0), json!(0.0), json!(0.0), json!(0)] } else { figures(&speeds) };
            vec![
                json!(sensor),
                json!(kind),
                json!(end),
                json!(self.shape.window),
                min,
                max,
                avg,
                samples,
                json!(who.len()),
            ]
        };
        ends.map(window).collect()
    }
}

/// When each item was seen at each location.
pub(crate) struct Items(BTreeMap<(i64, String), Vec<i64>>);

/// The columns of the windows of cameras.
pub(crate) const CAMERAS: [&str; 5] =
    ["geographical_location_oid", "item_name", "window_start", "window_ms", "detections"];

/// The columns of the items seen most.
pub(crate) const TOP: [&str; 4] = ["geographical_location_oid", "rank", "item_name", "detections"];

impl Items {
    pub(crate) fn of(records: &[Record]) -> Items {
        let mut items: BTreeMap<(i64, String), Vec<i64>> = BTreeMap::new();
        for row in cameras(records, 1, &BTreeMap::new()).detections.values() {
            let key = (row[0].as_i64().expect("a number"), row[3].as_str().expect("a text").to_owned());
            items.entry(key).or_default().push(row[4].as_i64().expect("a number"));
        }
        Items(items)
    }

    fn meant(&self, location: Option<i64>) -> impl Iterator<Item = (i64, &str, &[i64])> {
        let each = self.0.iter().map(|((of, item), times)| (*of, item.as_str(), times.as_slice()));
        each.filter(move |(of, ..)| location.is_none_or(|location| location == *of))
    }

    /// Windows that begin in `[from, to)`; with `fill` those of no detections, too.
    pub(crate) fn windows(
        &self,
        (from, to): (i64, i64),
        step: i64,
        location: Option<i64>,
        item: Option<&str>,
        fill: bool,
    ) -> Vec<Vec<Value>> {
        let mut meant: Vec<_> =
            self.meant(location).filter(|(_, name, _)| item.is_none_or(|item| item == *name)).collect();
        if let (true, Some(location), Some(item)) = (meant.is_empty(), location, item) {
            meant.push((location, item, &[])); // never seen, and named
        }
        let (mut rows, is_named) = (Vec::new(), location.is_some() && item.is_some());
        for (of, name, times) in meant {
            let count = |from: i64, to: i64| times.iter().filter(|at| (from..to).contains(at)).count();
            for start in (from..to).step_by(usize::try_from(step).expect("positive")) {
                let n = count(start, start + step);
                if n > 0 || fill && (is_named || count(from, to) > 0) {
                    rows.push(vec![json!(of), json!(name), json!(start), json!(step), json!(n)]);
                }
            }
        }
        rows
    }

    /// The `k` items seen most in `[from, to)` at each location, with ties.
    pub(crate) fn top(&self, (from, to): (i64, i64), k: usize, location: Option<i64>) -> Vec<Vec<Value>> {
        let count = |times: &[i64]| times.iter().filter(|at| (from..to).contains(at)).count();
        let counts: Vec<_> = self.meant(location).map(|(of, name, times)| (of, name, count(times))).collect();
        let mut rows = Vec::new();
        for (of, name, n) in counts.iter().filter(|(.., n)| *n > 0) {
            let ahead = counts.iter().filter(|(other, _, more)| other == of && more > n).count();
            if ahead < k {
                rows.push((*of, ahead + 1, *name, *n));
            }
        }
        rows.sort();
        rows.into_iter().map(|(of, rank, name, n)| vec![json!(of), json!(rank), json!(name), json!(n)]).collect()
    }
}
