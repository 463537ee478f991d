//! What the store has kept of sensors and cameras, for a run to go on from: read once, before the run begins.

use anyhow::Result;
use hexflow_dataflows::cameras::changes::StoredDetection;
use hexflow_dataflows::marks::Mark;
use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::readings::{CameraDetection, Movement};
use hexflow_dataflows::rows::text;
use hexflow_dataflows::{cameras, sensors};

use super::sink::ClickHouse;
use crate::clickhouse::binary::Reader;
use crate::clickhouse::server::unreadable;
use crate::clickhouse::sql;
use crate::tables::restored::{self, arrival, unsettled_ms};
use crate::telemetry::events;

/// What is kept of sensors.
pub fn sensors(store: &mut ClickHouse) -> Result<Vec<sensors::changes::Stored>> {
    use sensors::changes::Stored;
    let columns = "sensor_id, traveler_id, at, traveler_type, x, y, source_ts, source_partition, source_offset";
    let mut stored = all(store, "sensor_readings", columns, "true", |row| {
        Some(Stored::Reading(Movement {
            sensor_id: row.signed()?,
            traveler_id: text(row.text()?).to_owned(),
            at_ms: row.signed()?,
            traveler_type: text(row.text()?).to_owned(),
            x: row.real()?,
            y: row.real()?,
            arrival: arrival(Topic::Movements, row.signed()?, row.number()?, row.signed()?),
        }))
    })?;
    stored.extend(marks(store, Topic::Movements)?.into_iter().map(Stored::Mark));
    Ok(stored)
}

/// What is kept of cameras: all that is not below the floor, or is still to be settled.
pub fn cameras(store: &mut ClickHouse, settings: &cameras::Settings) -> Result<Vec<cameras::changes::Stored>> {
    use cameras::changes::Stored;
    let marks = marks(store, Topic::CameraDetections)?;
    let from_ms = unsettled_ms(&marks, settings.settle.is_some());
    let columns = "detection_oid, geographical_location_oid, ifNull(geographical_location, ''), \
                   isNull(geographical_location), video_camera_oid, item_name, detected_at, source_ts, source_partition, \
                   source_offset";
    let from = format!("detected_at >= {}", time(from_ms));
    let mut stored = all(store, "camera_detections", columns, &from, |row| {
        let (detection_oid, geographical_location_oid) = (row.signed()?, row.signed()?);
        let (name, is_unknown) = (text(row.text()?).to_owned(), row.byte()? == 1);
        let detection = CameraDetection {
            detection_oid,
            geographical_location_oid,
            video_camera_oid: row.signed()?,
            item_name: text(row.text()?).to_owned(),
            detected_ms: row.signed()?,
            arrival: arrival(Topic::CameraDetections, row.signed()?, row.number()?, row.signed()?),
        };
        Some(Stored::Detection(StoredDetection { detection, geographical_location: (!is_unknown).then_some(name) }))
    })?;
    // Part of the window that holds that time is above it.
    let from = format!("window_start > {}", time(from_ms.saturating_sub(settings.window_ms)));
    let columns = "geographical_location_oid, item_name, window_start, detections";
    stored.extend(all(store, "camera_windows", columns, &from, |row| {
        Some(Stored::Window(row.signed()?, text(row.text()?).to_owned(), row.signed()?, row.signed()?))
    })?);
    let gone = gone(&stored, from_ms);
    if gone > 0 {
        events::detections_gone(gone);
    }
    stored.extend(marks.into_iter().map(Stored::Mark));
    Ok(stored)
}

/// How many detections windows from a time on count that are there no more: rows go by the server's clock, and event
/// time stands still while nothing runs.
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

fn marks(store: &mut ClickHouse, topic: Topic) -> Result<Vec<Mark>> {
    let of_topic = format!("topic = {}", sql::text(topic.name()));
    let rows = all(store, "watermarks", "kind, partition, value", &of_topic, |row| {
        Some((text(row.text()?).to_owned(), row.signed()?, row.signed()?))
    })?;
    Ok(restored::marks(topic, rows))
}

/// A time as it stands in a statement: as a number, since the server does not read all that there are.
fn time(ms: i64) -> String {
    format!("reinterpret(toInt64({ms}), 'DateTime64(3)')")
}

/// Some rows of a table.
fn all<T>(
    store: &mut ClickHouse,
    table: &str,
    columns: &str,
    condition: &str,
    read: impl Fn(&mut Reader<'_>) -> Option<T>,
) -> Result<Vec<T>> {
    let ClickHouse { server, patience, .. } = store;
    let query = format!("SELECT {columns} FROM {} WHERE {condition}", server.table(table));
    patience.until_answered(&format!("read the table {table} to go on from it"), |_| {
        let answer = server.ask(&query)?;
        let (mut reader, mut rows) = (Reader::new(&answer), Vec::new());
        while !reader.is_at_end() {
            rows.push(read(&mut reader).ok_or_else(unreadable)?);
        }
        Ok(rows)
    })
}
