//! What windows go on from: readings and detections that may still count, and how far reading had come.

use anyhow::Result;
use hexflow_dataflows::cameras::changes::StoredDetection;
use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::readings::{Arrival, CameraDetection, Movement};
use hexflow_dataflows::rows::stream_of;
use hexflow_dataflows::{cameras, sensors};

use super::marks::{marks, unsettled_ms};
use super::{Tables, Values};
use crate::telemetry::events;

/// What is kept of sensors.
pub fn sensors(store: &mut impl Tables) -> Result<Vec<sensors::changes::Stored>> {
    use sensors::changes::Stored;
    let columns = "sensor_id, traveler_id, at, traveler_type, x, y, source_ts, source_partition, source_offset";
    let mut stored = store.rows("sensor_readings", columns, "true", |row| {
        Some(Stored::Reading(Movement {
            sensor_id: row.get()?,
            traveler_id: row.get()?,
            at_ms: row.get()?,
            traveler_type: row.get()?,
            x: row.get()?,
            y: row.get()?,
            arrival: arrival(Topic::Movements, row)?,
        }))
    })?;
    stored.extend(marks(store, Topic::Movements)?.into_iter().map(Stored::Mark));
    Ok(stored)
}

/// What is kept of cameras: all that is not below the floor, or is still to be settled.
pub fn cameras(store: &mut impl Tables, settings: &cameras::Settings) -> Result<Vec<cameras::changes::Stored>> {
    use cameras::changes::Stored;
    let marks = marks(store, Topic::CameraDetections)?;
    let from_ms = unsettled_ms(&marks, settings.settle.is_some());
    let columns = "detection_oid, geographical_location_oid, geographical_location, video_camera_oid, item_name, \
                   detected_at, source_ts, source_partition, source_offset";
    let from = format!("detected_at >= {}", store.time(from_ms));
    let mut stored = store.rows("camera_detections", columns, &from, |row| {
        let (detection_oid, geographical_location_oid) = (row.get()?, row.get()?);
        let geographical_location = row.get()?;
        let detection = CameraDetection {
            detection_oid,
            geographical_location_oid,
            video_camera_oid: row.get()?,
            item_name: row.get()?,
            detected_ms: row.get()?,
            arrival: arrival(Topic::CameraDetections, row)?,
        };
        Some(Stored::Detection(StoredDetection { detection, geographical_location }))
    })?;
    // Part of the window that holds that time is above it.
    let from = format!("window_start > {}", store.time(from_ms.saturating_sub(settings.window_ms)));
    let columns = "geographical_location_oid, item_name, window_start, detections";
    stored.extend(store.rows("camera_windows", columns, &from, |row| {
        Some(Stored::Window(row.get()?, row.get()?, row.get()?, row.get()?))
    })?);
    let gone = gone(&stored, from_ms);
    if gone > 0 {
        events::detections_gone(gone);
    }
    stored.extend(marks.into_iter().map(Stored::Mark));
    Ok(stored)
}

/// How many detections windows from a time on count that are there no more: where rows go by the server's clock, and
/// event time stands still while nothing runs.
fn gone(stored: &[cameras::changes::Stored], from_ms: i64) -> i64 {
    use cameras::changes::Stored;
    let counted = stored.iter().map(|stored| match stored {
        Stored::Window(_, _, start_ms, detections) if *start_ms >= from_ms => *detections,
        _ => 0,
    });
    let first_ms = stored.iter().filter_map(|stored| match stored {
        Stored::Window(_, _, start_ms, _) if *start_ms >= from_ms => Some(*start_ms),
        _ => None,
    });
    let Some(first_ms) = first_ms.min() else { return 0 };
    let is_there = |stored: &&Stored| matches!(stored, Stored::Detection(row) if row.detection.detected_ms >= first_ms);
    let there = stored.iter().filter(is_there).count();
    counted.sum::<i64>().saturating_sub(i64::try_from(there).unwrap_or(i64::MAX))
}

/// Where a row's record stands, by the last three of its columns.
fn arrival(topic: Topic, row: &mut (dyn Values + '_)) -> Option<Arrival> {
    let (ts, partition, offset): (_, _, i64) = (row.get()?, row.get()?, row.get()?);
    Some(Arrival { ts, stream: stream_of(topic, partition), offset: offset.cast_unsigned() })
}
