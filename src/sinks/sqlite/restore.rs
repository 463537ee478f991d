//! What the store has kept of sensors and cameras, for a run to go on from: read once, before the run begins.

use anyhow::{Context, Result};
use hexflow_dataflows::cameras::changes::StoredDetection;
use hexflow_dataflows::marks::Mark;
use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::readings::{Arrival, CameraDetection, Movement};
use hexflow_dataflows::{cameras, sensors};
use rusqlite::{Connection, Row};

use crate::tables::restored::{self, floor_ms, unsettled_ms};

/// What is kept of sensors.
pub fn sensors(store: &Connection) -> Result<Vec<sensors::changes::Stored>> {
    use sensors::changes::Stored;
    if !has_table(store, "watermarks")? {
        return Ok(Vec::new());
    }
    let select = "SELECT sensor_id, traveler_id, at, traveler_type, x, y, source_ts, source_partition, source_offset \
                  FROM sensor_readings";
    let reading = |row: &Row<'_>| -> rusqlite::Result<_> {
        Ok(Stored::Reading(Movement {
            sensor_id: row.get(0)?,
            traveler_id: row.get(1)?,
            at_ms: row.get(2)?,
            traveler_type: row.get(3)?,
            x: row.get(4)?,
            y: row.get(5)?,
            arrival: arrival(Topic::Movements, row, 6)?,
        }))
    };
    let mut stored = all(store, "sensor_readings", select, i64::MIN, reading)?;
    stored.extend(marks(store, Topic::Movements)?.into_iter().map(Stored::Mark));
    Ok(stored)
}

/// What is kept of cameras: all that is not below the floor, or is still to be settled.
pub fn cameras(store: &Connection, settings: &cameras::Settings) -> Result<Vec<cameras::changes::Stored>> {
    use cameras::changes::Stored;
    if !has_table(store, "watermarks")? {
        return Ok(Vec::new());
    }
    let marks = marks(store, Topic::CameraDetections)?;
    let floor_ms = floor_ms(&marks);
    let select = "SELECT detection_oid, geographical_location_oid, geographical_location, video_camera_oid, item_name, \
                  detected_at, source_ts, source_partition, source_offset FROM camera_detections WHERE detected_at >= ?1";
    let detection = |row: &Row<'_>| -> rusqlite::Result<_> {
        let detection = CameraDetection {
            detection_oid: row.get(0)?,
            geographical_location_oid: row.get(1)?,
            video_camera_oid: row.get(3)?,
            item_name: row.get(4)?,
            detected_ms: row.get(5)?,
            arrival: arrival(Topic::CameraDetections, row, 6)?,
        };
        Ok(Stored::Detection(StoredDetection { detection, geographical_location: row.get(2)? }))
    };
    let from_ms = unsettled_ms(&marks, settings.settle.is_some());
    let mut stored = all(store, "camera_detections", select, from_ms, detection)?;
    let select = "SELECT geographical_location_oid, item_name, window_start, detections FROM camera_windows \
                  WHERE window_start > ?1";
    let window = |row: &Row<'_>| -> rusqlite::Result<_> {
        Ok(Stored::Window(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    };
    // Part of the window that holds the floor is above it.
    stored.extend(all(store, "camera_windows", select, floor_ms.saturating_sub(settings.window_ms), window)?);
    stored.extend(marks.into_iter().map(Stored::Mark));
    Ok(stored)
}

/// Whether a table is there: a store that is only read may be of an earlier version.
pub(super) fn has_table(store: &Connection, table: &str) -> Result<bool> {
    let there = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = ?1)";
    store.query_row(there, [table], |row| row.get(0)).context("cannot read the store")
}

/// How far partitions of a topic had come.
pub(super) fn marks(store: &Connection, topic: Topic) -> Result<Vec<Mark>> {
    let select = format!("SELECT kind, partition, value FROM watermarks WHERE topic = '{}'", topic.name());
    let row = |row: &Row<'_>| -> rusqlite::Result<(String, i64, i64)> { Ok((row.get(0)?, row.get(1)?, row.get(2)?)) };
    Ok(restored::marks(topic, all(store, "watermarks", &select, i64::MIN, row)?))
}

fn arrival(topic: Topic, row: &Row<'_>, first: usize) -> rusqlite::Result<Arrival> {
    Ok(restored::arrival(topic, row.get(first)?, row.get(first + 1)?, row.get(first + 2)?))
}

/// All rows of a statement, which may ask for those from a time on.
pub(super) fn all<T>(
    store: &Connection,
    table: &str,
    select: &str,
    from_ms: i64,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let rows = || -> rusqlite::Result<Vec<T>> {
        let mut select = store.prepare(select)?;
        if select.parameter_count() > 0 {
            select.raw_bind_parameter(1_usize, from_ms)?;
        }
        let (mut rows, mut found) = (select.raw_query(), Vec::new());
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
        Ok(found)
    };
    rows().with_context(|| format!("cannot read the table {table} to go on from it"))
}
