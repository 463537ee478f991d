//! What the store has kept of alerts, for a run to go on from: the windows that may still change them among it.

use std::sync::Arc;

use anyhow::Result;
use hexflow_dataflows::alerts::changes::{Alert, AlertKey, Kept, News, Owner};
use hexflow_dataflows::alerts::figure::Figure;
use hexflow_dataflows::alerts::key::Key;
use hexflow_dataflows::alerts::machine::{Machine, Phase};
use hexflow_dataflows::cameras::counts::{Count, CountChange, CountKey};
use hexflow_dataflows::change::Change;
use hexflow_dataflows::marks::Mark;
use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::pipelines::Pipeline;
use hexflow_dataflows::sensors::windows::{Window, WindowChange, WindowKey};
use hexflow_operators::watermark;
use rusqlite::{Connection, OptionalExtension, Row};

use super::restore::{all, has_table, marks};
use crate::outgoing::alert::Body;
use crate::tables::changes::{ALERTS_BASE, ALERTS_JUDGED};

/// What is kept of alerts over sensors' windows.
pub fn sensors(store: &Connection) -> Result<Kept<WindowChange>> {
    let (mut kept, from_ms) = kept(store, Pipeline::Sensors, Topic::Movements)?;
    let select = "SELECT sensor_id, traveler_type, window_end, window_ms, min_speed, max_speed, avg_speed, samples, \
                  travelers FROM sensor_windows WHERE window_end > ?1";
    let window = |row: &Row<'_>| -> rusqlite::Result<_> {
        let kind: String = row.get(1)?;
        let key = WindowKey { sensor_id: row.get(0)?, traveler_type: kind.into(), window_end: row.get(2)? };
        let (samples, travelers): (i64, i64) = (row.get(7)?, row.get(8)?);
        let row = Window {
            window_ms: row.get(3)?,
            min_speed: row.get(4)?,
            max_speed: row.get(5)?,
            avg_speed: row.get(6)?,
            samples: samples.unsigned_abs(),
            travelers: travelers.unsigned_abs(),
        };
        Ok(Change { key, row: Some(row) })
    };
    if has_table(store, "alerts")? {
        kept.windows = all(store, "sensor_windows", select, from_ms, window)?;
    }
    Ok(kept)
}

/// What is kept of alerts over cameras' windows.
pub fn cameras(store: &Connection, window_ms: i64) -> Result<Kept<CountChange>> {
    let (mut kept, from_ms) = kept(store, Pipeline::Cameras, Topic::CameraDetections)?;
    let select = "SELECT geographical_location_oid, item_name, window_start, window_ms, detections FROM camera_windows \
                  WHERE window_start > ?1";
    let window = |row: &Row<'_>| -> rusqlite::Result<_> {
        let item: String = row.get(1)?;
        let key =
            CountKey { geographical_location_oid: row.get(0)?, item_name: item.into(), window_start: row.get(2)? };
        let detections: i64 = row.get(4)?;
        Ok(Change { key, row: Some(Count { window_ms: row.get(3)?, detections: detections.unsigned_abs() }) })
    };
    if has_table(store, "alerts")? {
        kept.windows = all(store, "camera_windows", select, from_ms.saturating_sub(window_ms), window)?;
    }
    Ok(kept)
}

/// What is kept but for windows, and the end after which these are needed.
fn kept<W>(store: &Connection, pipeline: Pipeline, topic: Topic) -> Result<(Kept<W>, i64)> {
    let mut kept = Kept::default();
    if !has_table(store, "alerts")? {
        return Ok((kept, i64::MIN));
    }
    let mark = |kind: &str| -> Result<Option<i64>> {
        let select = "SELECT value FROM watermarks WHERE topic = ?1 AND kind = ?2";
        Ok(store.query_row(select, [topic.name(), kind], |row| row.get(0)).optional()?)
    };
    (kept.judged_ms, kept.base_ms, kept.marks) = (mark(ALERTS_JUDGED)?, mark(ALERTS_BASE)?, marks(store, topic)?);
    let floor = |mark: &Mark| if let Mark::EventTime(watermark::Mark::Floor(ms)) = mark { Some(*ms) } else { None };
    let from_ms = kept.base_ms.or_else(|| kept.marks.iter().find_map(floor)).unwrap_or(i64::MIN);
    let select = "SELECT rule, key, pending_since, fired_at, value, last_fired FROM alert_states";
    let state = |row: &Row<'_>| -> rusqlite::Result<_> {
        let phase = match (row.get(2)?, row.get(3)?) {
            (_, Some(fired_at)) => Phase::Firing(fired_at, row.get(4)?),
            (Some(since), None) => Phase::Pending(since),
            (None, None) => Phase::Ok,
        };
        let machine = Machine { phase, last_fired: row.get(5)? };
        Ok(owner(row, pipeline)?.map(|owner| (owner, machine)))
    };
    kept.states = all(store, "alert_states", select, from_ms, state)?.into_iter().flatten().collect();
    kept.alerts = alerts(store, pipeline, "resolved_at IS NULL OR resolved_at > ?1", from_ms)?;
    Ok((kept, from_ms))
}

/// Alerts of a pipeline that something holds for, in the order in which they fired.
fn alerts(store: &Connection, pipeline: Pipeline, holds: &str, from_ms: i64) -> Result<Vec<(AlertKey, Alert)>> {
    let select = format!(
        "SELECT rule, key, fired_at, figure, threshold, value, resolved_at, resolved_value FROM alerts WHERE {holds} \
         ORDER BY fired_at"
    );
    let alert = |row: &Row<'_>| -> rusqlite::Result<_> {
        let figure: String = row.get(3)?;
        let is_of_it = figure.parse::<Figure>().is_ok_and(|figure| figure.pipeline() == pipeline);
        let Some(owner) = owner(row, pipeline)?.filter(|_| is_of_it) else { return Ok(None) };
        let alert = Alert {
            figure,
            threshold: row.get(4)?,
            value: row.get(5)?,
            resolved_at: row.get(6)?,
            resolved_value: row.get(7)?,
        };
        Ok(Some((AlertKey { owner, fired_at: row.get(2)? }, alert)))
    };
    Ok(all(store, "alerts", &select, from_ms, alert)?.into_iter().flatten().collect())
}

/// Rule and key of a row, if that is a key of the pipeline.
fn owner(row: &Row<'_>, pipeline: Pipeline) -> rusqlite::Result<Option<Owner>> {
    let (rule, key): (String, String) = (row.get(0)?, row.get(1)?);
    Ok(Key::parse(&key, pipeline).map(|key| Owner { rule: Arc::from(rule), key }))
}

/// What there is to be shown of alerts: those that were over lately, and then those that fire.
pub fn shown(store: &Connection) -> Result<Vec<Body>> {
    let mut all: Vec<(i64, Body)> = Vec::new();
    for pipeline in [Pipeline::Sensors, Pipeline::Cameras] {
        let lately = "resolved_at IS NULL OR resolved_at >= (SELECT min(at) FROM (SELECT resolved_at AS at FROM alerts \
                      WHERE resolved_at IS NOT NULL ORDER BY resolved_at DESC LIMIT 100))";
        for (key, alert) in alerts(store, pipeline, lately, i64::MIN)? {
            let news = if alert.resolved_at.is_some() { News::Resolved } else { News::Firing };
            all.push((alert.resolved_at.unwrap_or(i64::MAX), Body::of(pipeline, &key, &alert, news)));
        }
    }
    all.sort_by_key(|(at, _)| *at);
    Ok(all.into_iter().map(|(_, body)| body).collect())
}
