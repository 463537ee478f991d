//! What alerts go on from: those that may still change, the states of their keys, and the windows that may still change them.

use std::sync::Arc;

use anyhow::Result;
use hexflow_dataflows::alerts::changes::{Alert, AlertKey, Kept, News, Notice, Owner};
use hexflow_dataflows::alerts::figure::Figure;
use hexflow_dataflows::alerts::key::Key;
use hexflow_dataflows::alerts::machine::{Machine, Phase};
use hexflow_dataflows::alerts::rule::Rule;
use hexflow_dataflows::cameras::counts::{Count, CountChange, CountKey};
use hexflow_dataflows::change::Change;
use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::pipelines::Pipeline;
use hexflow_dataflows::sensors::windows::{Window, WindowChange, WindowKey};

use super::marks::{floor_ms, mark, marks};
use super::{Tables, Values};
use crate::alerts::board::SHOWN;
use crate::outgoing::alert::Body;
use crate::tables::changes::{ALERTS_BASE, ALERTS_JUDGED};

/// What is kept of alerts over sensors' windows, for `rules` of all pipelines.
pub fn sensors(store: &mut impl Tables, rules: &[Rule]) -> Result<Kept<WindowChange>> {
    let (mut kept, from_ms) = kept(store, (Pipeline::Sensors, Topic::Movements), rules)?;
    let Some(from_ms) = from_ms else { return Ok(kept) };
    let columns =
        "sensor_id, traveler_type, window_end, window_ms, min_speed, max_speed, avg_speed, samples, travelers";
    let from = format!("window_end > {}", store.time(from_ms));
    kept.windows = store.rows("sensor_windows", columns, &from, |row| {
        let (sensor_id, traveler_type, window_end) = (row.get()?, Arc::from(row.text()?), row.get()?);
        let window = Window {
            window_ms: row.get()?,
            min_speed: row.get()?,
            max_speed: row.get()?,
            avg_speed: row.get()?,
            samples: row.integer()?.unsigned_abs(),
            travelers: row.integer()?.unsigned_abs(),
        };
        Some(Change { key: WindowKey { sensor_id, traveler_type, window_end }, row: Some(window) })
    })?;
    Ok(kept)
}

/// The same over cameras' windows, which are as long as `window_ms`.
pub fn cameras(store: &mut impl Tables, rules: &[Rule], window_ms: i64) -> Result<Kept<CountChange>> {
    let (mut kept, from_ms) = kept(store, (Pipeline::Cameras, Topic::CameraDetections), rules)?;
    let Some(from_ms) = from_ms else { return Ok(kept) };
    let columns = "geographical_location_oid, item_name, window_start, window_ms, detections";
    let from = format!("window_start > {}", store.time(from_ms.saturating_sub(window_ms)));
    kept.windows = store.rows("camera_windows", columns, &from, |row| {
        let (geographical_location_oid, item_name) = (row.get()?, Arc::from(row.text()?));
        let key = CountKey { geographical_location_oid, item_name, window_start: row.get()? };
        let count = Count { window_ms: row.get()?, detections: row.integer()?.unsigned_abs() };
        Some(Change { key, row: Some(count) })
    })?;
    Ok(kept)
}

/// What is kept but for windows; and the end after which these are needed, if there are rules that judge them.
fn kept<W>(
    store: &mut impl Tables,
    (pipeline, topic): (Pipeline, Topic),
    rules: &[Rule],
) -> Result<(Kept<W>, Option<i64>)> {
    let (judged_ms, base_ms) = (mark(store, topic, ALERTS_JUDGED)?, mark(store, topic, ALERTS_BASE)?);
    let marks = marks(store, topic)?;
    let from_ms = base_ms.unwrap_or_else(|| floor_ms(&marks));
    let columns = "rule, key, pending_since, fired_at, value, last_fired";
    let states = store.rows("alert_states", columns, "true", |row| {
        let owner = owner(pipeline, row)?;
        let phase = match (row.get()?, row.get()?, row.get()?) {
            (_, Some(fired_at), value) => Phase::Firing(fired_at, value),
            (Some(since), None, _) => Phase::Pending(since),
            (None, None, _) => Phase::Ok,
        };
        let last_fired = row.get()?;
        Some(owner.map(|owner| (owner, Machine { phase, last_fired })))
    })?;
    // A key of all together is the same text in every pipeline.
    let of_another = |name: &str| rules.iter().any(|rule| *rule.name == *name && rule.figure.pipeline() != pipeline);
    let states = states.into_iter().flatten().filter(|(owner, _)| !of_another(&owner.rule)).collect();
    let may_change = format!("resolved_at IS NULL OR resolved_at > {} ORDER BY fired_at", store.time(from_ms));
    let alerts = alerts(store, &may_change)?.into_iter();
    let alerts = alerts.filter(|(of, ..)| *of == pipeline).map(|(_, key, alert)| (key, alert)).collect();
    let notices = notices(store, pipeline)?;
    let are_judged = rules.iter().any(|rule| rule.figure.pipeline() == pipeline);
    Ok((
        Kept { judged_ms, base_ms, marks, states, alerts, notices, windows: Vec::new() },
        are_judged.then_some(from_ms),
    ))
}

/// What was told of a pipeline's alerts and is not known to be taken, in order.
fn notices(store: &mut impl Tables, pipeline: Pipeline) -> Result<Vec<Notice>> {
    let columns = format!("number, state, {ALERT_COLUMNS}");
    let of_pipeline = format!("pipeline = '{}' ORDER BY number", pipeline.name());
    let notices = store.rows("alert_notices", &columns, &of_pipeline, |row| {
        let (number, state) = (row.get()?, row.text()?);
        let news = News::ALL.into_iter().find(|news| news.name() == state);
        let told = news.zip(alert(row)?);
        Some(told.map(|(news, (_, key, alert))| Notice { number, key, alert, news }))
    })?;
    Ok(notices.into_iter().flatten().collect())
}

/// Alerts that a condition holds for, each with its pipeline.
fn alerts(store: &mut impl Tables, condition: &str) -> Result<Vec<(Pipeline, AlertKey, Alert)>> {
    let alerts = store.rows("alerts", ALERT_COLUMNS, condition, alert)?;
    Ok(alerts.into_iter().flatten().collect())
}

const ALERT_COLUMNS: &str = "figure, rule, key, fired_at, threshold, value, resolved_at, resolved_value";

/// An alert and its pipeline, by these columns; of a later version's figure it is not ours.
fn alert(row: &mut (dyn Values + '_)) -> Option<Option<(Pipeline, AlertKey, Alert)>> {
    let figure = row.text()?;
    let pipeline = figure.parse::<Figure>().map(Figure::pipeline).ok();
    let owner = owner(pipeline.unwrap_or(Pipeline::Sensors), row)?;
    let fired_at = row.get()?;
    let (threshold, value) = (row.get()?, row.get()?);
    let alert = Alert { figure, threshold, value, resolved_at: row.get()?, resolved_value: row.get()? };
    Some(pipeline.zip(owner).map(|(pipeline, owner)| (pipeline, AlertKey { owner, fired_at }, alert)))
}

/// Rule and key of a row, if that is a key of the pipeline.
fn owner(pipeline: Pipeline, row: &mut (dyn Values + '_)) -> Option<Option<Owner>> {
    let (rule, key) = (row.text()?, row.text()?);
    Some(Key::parse(&key, pipeline).map(|key| Owner { rule: Arc::from(rule), key }))
}

/// What there is to be shown of alerts: those that were over lately, and then those that fire.
pub fn shown(store: &mut impl Tables) -> Result<Vec<Body>> {
    let over = format!("resolved_at IS NOT NULL ORDER BY resolved_at DESC, fired_at DESC, rule, key LIMIT {SHOWN}");
    let (mut over, firing) = (alerts(store, &over)?, alerts(store, "resolved_at IS NULL ORDER BY fired_at")?);
    over.reverse();
    let body = |(pipeline, key, alert): (Pipeline, AlertKey, Alert)| {
        let news = if alert.resolved_at.is_some() { News::Resolved } else { News::Firing };
        Body::of(pipeline, &key, &alert, news)
    };
    Ok(over.into_iter().chain(firing).map(body).collect())
}
