//! What must come of movements, the plainest way: all readings of a traveller sorted, cut, and each window filled anew.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::arrivals::in_order_of_arrival;
use crate::support::record::{MOVEMENTS, Record};
use crate::support::windows::Rows;

/// Window, slide and gap, and how late a reading may be, ms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) window: i64,
    pub(crate) slide: i64,
    pub(crate) gap: i64,
    pub(crate) lateness: i64,
}

/// What holds where nobody says otherwise.
pub(crate) const USUAL: Shape = Shape { window: 60_000, slide: 10_000, gap: 60_000, lateness: 86_400_000 };

/// The tables, and how many readings were too late.
#[derive(Debug, Default)]
pub(crate) struct Sensors {
    pub(crate) travelers: Rows,
    pub(crate) windows: Rows,
    pub(crate) late: u64,
}

/// A visit: sensor, traveller, type, its instants and the speeds at all but the first.
pub(super) struct Visit {
    pub(super) sensor: i64,
    pub(super) traveler: String,
    pub(super) kind: String,
    pub(super) instants: Vec<i64>,
    pub(super) speeds: Vec<f64>,
}

type Reading = (f64, f64, String);

/// What comes of records.
pub(crate) fn sensors(records: &[Record], shape: Shape) -> Sensors {
    let mut tables = Sensors::default();
    let visits = all_visits(records, shape, &mut tables.late);
    for visit in &visits {
        let [min, max, avg, samples] = figures(&visit.speeds);
        let row = vec![json!(visit.kind), json!(visit.instants[visit.instants.len() - 1]), min, max, avg, samples];
        tables.travelers.insert(json!([visit.sensor, visit.traveler, visit.instants[0]]).to_string(), row);
    }
    tables.windows = windows(&visits, shape);
    tables
}

/// All visits; those readings are counted that are too late for any.
pub(super) fn all_visits(records: &[Record], shape: Shape, late: &mut u64) -> Vec<Visit> {
    let mut readings: BTreeMap<(i64, String), BTreeMap<i64, Reading>> = BTreeMap::new();
    let mut clocks: BTreeMap<u32, i64> = BTreeMap::new();
    for record in in_order_of_arrival(records, MOVEMENTS) {
        let body = record.body();
        let at = body["timestamp"].as_str().and_then(|at| at.parse::<Timestamp>().ok()).expect("a time");
        let at = at.as_millisecond();
        let clock = clocks.entry(record.partition).or_insert(i64::MIN);
        *clock = (*clock).max(at);
        if at < *clock - shape.lateness {
            *late += 1;
            continue;
        }
        let text = |name: &str| body[name].as_str().expect("a text").to_owned();
        let number = |value: &Value| value.as_f64().expect("a number");
        let reading = (number(&body["position"][0]), number(&body["position"][1]), text("traveler_type"));
        let who = (body["sensor_id"].as_i64().expect("a number"), text("traveler_id"));
        readings.entry(who).or_default().insert(at, reading);
    }
    readings.iter().flat_map(|(who, readings)| visits(who, readings, shape.gap)).collect()
}

fn visits((sensor, traveler): &(i64, String), readings: &BTreeMap<i64, Reading>, gap: i64) -> Vec<Visit> {
    let mut visits: Vec<Visit> = Vec::new();
    let mut before: Option<(i64, &Reading)> = None;
    for (&at, reading) in readings {
        match (visits.last_mut(), before) {
            (Some(visit), Some((then, from))) if at - then <= gap => {
                let meters = ((reading.0 - from.0).powi(2) + (reading.1 - from.1).powi(2)).sqrt();
                visit.instants.push(at);
                visit.speeds.push(meters / ((at - then) as f64 / 1_000.0));
            }
            _ => visits.push(Visit {
                sensor: *sensor,
                traveler: traveler.clone(),
                kind: reading.2.clone(),
                instants: vec![at],
                speeds: Vec::new(),
            }),
        }
        before = Some((at, reading));
    }
    visits
}

fn windows(visits: &[Visit], shape: Shape) -> Rows {
    let mut windows: BTreeMap<(i64, &str, i64), (BTreeSet<&str>, Vec<f64>)> = BTreeMap::new();
    for visit in visits {
        let (entered, left) = (visit.instants[0], visit.instants[visit.instants.len() - 1]);
        let mut end = entered - entered.rem_euclid(shape.slide);
        while end - shape.window <= left {
            if end > entered {
                let (who, speeds) = windows.entry((visit.sensor, &visit.kind, end)).or_default();
                who.insert(&visit.traveler);
                let samples = visit.instants[1..].iter().zip(&visit.speeds);
                speeds.extend(samples.filter(|(at, _)| (end - shape.window..end).contains(at)).map(|(_, speed)| speed));
            }
            end += shape.slide;
        }
    }
    let row = |((sensor, kind, end), (who, speeds)): ((i64, &str, i64), (BTreeSet<&str>, Vec<f64>))| {
        let [min, max, avg, samples] = figures(&speeds);
        let row = vec![json!(shape.window), min, max, avg, samples, json!(who.len())];
        (json!([sensor, kind, end]).to_string(), row)
    };
    windows.into_iter().map(row).collect()
}

pub(super) fn figures(speeds: &[f64]) -> [Value; 4] {
    let least = speeds.iter().copied().reduce(f64::min);
    let greatest = speeds.iter().copied().reduce(f64::max);
    let mean = (!speeds.is_empty()).then(|| speeds.iter().sum::<f64>() / speeds.len() as f64);
    [json!(least), json!(greatest), json!(mean), json!(speeds.len())]
}
