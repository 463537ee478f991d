//! What the tables must hold, computed from all readings at once, the plain way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::visits::{Traveler, TravelerKey};
use super::windows::{Window, WindowKey};
use crate::readings::Movement;

pub(super) type Tables = (BTreeMap<TravelerKey, Traveler>, BTreeMap<WindowKey, Window>);

/// `readings` in the order of their arrival.
pub(super) fn tables(readings: &[Movement], window_ms: i64, slide_ms: i64, gap_ms: i64) -> Tables {
    let mut by_traveler: BTreeMap<(i64, &str), BTreeMap<i64, &Movement>> = BTreeMap::new();
    for reading in readings {
        let traveler = by_traveler.entry((reading.sensor_id, &reading.traveler_id)).or_default();
        traveler.insert(reading.at_ms, reading); // the last to arrive counts
    }
    let (mut visits, mut samples) = (BTreeMap::new(), Vec::new());
    for ((sensor_id, traveler_id), instants) in by_traveler {
        let readings: Vec<&Movement> = instants.into_values().collect();
        for visit in readings.chunk_by(|a, b| b.at_ms - a.at_ms <= gap_ms) {
            let speeds: Vec<f64> = visit.windows(2).map(|pair| speed(pair[0], pair[1])).collect();
            let (traveler_type, traveler_id) = (visit[0].traveler_type.clone(), Arc::from(traveler_id));
            samples
                .extend(visit[1..].iter().zip(&speeds).map(|(at, v)| (sensor_id, traveler_type.clone(), at.at_ms, *v)));
            let (min_speed, max_speed, avg_speed, samples) = figures(&speeds);
            let (traveler_type, left_at) = (Arc::from(traveler_type), visit[visit.len() - 1].at_ms);
            let row = Traveler { traveler_type, left_at, min_speed, max_speed, avg_speed, samples };
            visits.insert(TravelerKey { sensor_id, traveler_id, entered_at: visit[0].at_ms }, row);
        }
    }
    let windows = windows(&visits, &samples, window_ms, slide_ms);
    (visits, windows)
}

fn windows(
    visits: &BTreeMap<TravelerKey, Traveler>,
    samples: &[(i64, String, i64, f64)],
    window_ms: i64,
    slide_ms: i64,
) -> BTreeMap<WindowKey, Window> {
    let mut travelers: BTreeMap<WindowKey, BTreeSet<Arc<str>>> = BTreeMap::new();
    for (visit, row) in visits {
        let mut window_end = visit.entered_at / slide_ms * slide_ms - window_ms / slide_ms * slide_ms;
        while window_end - window_ms <= row.left_at {
            if visit.entered_at < window_end {
                let traveler_type = Arc::clone(&row.traveler_type);
                let key = WindowKey { sensor_id: visit.sensor_id, traveler_type, window_end };
                travelers.entry(key).or_default().insert(Arc::clone(&visit.traveler_id));
            }
            window_end += slide_ms;
        }
    }
    let rows = travelers.into_iter().map(|(key, travelers)| {
        let is_in = |at_ms: i64| key.window_end - window_ms <= at_ms && at_ms < key.window_end;
        let of_key = |(sensor, kind, at, _): &&(i64, String, i64, f64)| {
            *sensor == key.sensor_id && **kind == *key.traveler_type && is_in(*at)
        };
        let speeds: Vec<f64> = samples.iter().filter(of_key).map(|sample| sample.3).collect();
        let (min_speed, max_speed, avg_speed, samples) = figures(&speeds);
        let travelers = travelers.len() as u64;
        (key, Window { window_ms, min_speed, max_speed, avg_speed, samples, travelers })
    });
    rows.collect()
}

fn speed(from: &Movement, to: &Movement) -> f64 {
    let seconds = (to.at_ms - from.at_ms) as f64 / 1_000.0;
    (to.x - from.x).hypot(to.y - from.y) / seconds
}

fn figures(speeds: &[f64]) -> (Option<f64>, Option<f64>, Option<f64>, u64) {
    let count = speeds.len();
    let mean = (count > 0).then(|| speeds.iter().sum::<f64>() / count as f64);
    (speeds.iter().copied().reduce(f64::min), speeds.iter().copied().reduce(f64::max), mean, count as u64)
}
