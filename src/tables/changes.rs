//! What an epoch changes of sensors and cameras, row by row: said once, written by every store.

use hexflow_dataflows::alerts::changes::{AlertKey, News, Notice, Owner};
use hexflow_dataflows::alerts::machine::Phase;
use hexflow_dataflows::cameras::counts::CountChange;
use hexflow_dataflows::cameras::detections::DetectionChange;
use hexflow_dataflows::change::Change;
use hexflow_dataflows::marks::Mark;
use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::pipelines::Pipeline;
use hexflow_dataflows::readings::{Arrival, Movement};
use hexflow_dataflows::rows::partition_of_stream;
use hexflow_dataflows::sensors::changes::Ended;
use hexflow_dataflows::sensors::visits::TravelerChange;
use hexflow_dataflows::sensors::windows::WindowChange;
use hexflow_dataflows::{alerts, cameras, sensors};
use hexflow_operators::watermark;

use super::Columns;
use super::alerts::{AlertKeyRow, AlertNoticeKey, AlertNoticeRow, AlertRow, AlertStateKey, AlertStateRow};
use super::windows::{
    CameraDetectionKey, CameraDetectionRow, CameraWindowKey, CameraWindowRow, EndedRow, MarkRow, ReadingRow,
    SensorWindowKey, SensorWindowRow, TravelerKey, TravelerRow,
};

/// What is done to a table; the numbers are what a store may write down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verb {
    /// This is the row of its key now.
    Put = 0,
    /// The row of this key is gone.
    Delete = 1,
    /// Gone are rows with this key but for its last column, a time or a number, in which they are not above it.
    DeleteUpTo = 2,
}

/// Takes changes of tables, in the order in which they are to be made.
pub trait Changed {
    /// Adds a change: the row, or of one that goes the key.
    fn add<R: Columns>(&mut self, verb: Verb, row: &R);

    /// This is the row of its key now.
    fn put<R: Columns>(&mut self, row: &R) {
        self.add(Verb::Put, row);
    }

    /// The row of this key is gone.
    fn delete<K: Columns>(&mut self, key: &K) {
        self.add(Verb::Delete, key);
    }

    /// The same as [`Changed::put`] of a table that only a later run reads.
    fn keep<R: Columns>(&mut self, row: &R) {
        self.add(Verb::Put, row);
    }

    /// A later run needs no row any more whose key is this but for the last column, and is not above it there.
    fn forget<K: Columns>(&mut self, upto: &K) {
        self.add(Verb::DeleteUpTo, upto);
    }
}

/// Shows what changes of sensors.
pub fn sensors(changes: &sensors::changes::Changes, to: &mut impl Changed) {
    changes.travelers.iter().for_each(|change| traveler(change, to));
    changes.windows.iter().for_each(|change| sensor_window(change, to));
    changes.readings.iter().for_each(|reading| to.keep(&reading_row(reading)));
    for Ended { sensor_id, traveler_id, left_at } in &changes.ended {
        to.forget(&EndedRow { sensor_id: *sensor_id, traveler_id, at: *left_at });
    }
    changes.marks.iter().for_each(|mark| keep_mark(Topic::Movements, *mark, to));
    alerts(Topic::Movements, Pipeline::Sensors, &changes.alerts, to);
}

/// Shows what changes of cameras.
pub fn cameras(changes: &cameras::changes::Changes, to: &mut impl Changed) {
    changes.detections.iter().for_each(|change| camera_detection(change, to));
    changes.windows.iter().for_each(|change| camera_window(change, to));
    changes.marks.iter().for_each(|mark| keep_mark(Topic::CameraDetections, *mark, to));
    alerts(Topic::CameraDetections, Pipeline::Cameras, &changes.alerts, to);
}

/// Shows what changes of alerts.
fn alerts(topic: Topic, pipeline: Pipeline, changes: &alerts::changes::Changes, to: &mut impl Changed) {
    for Change { key: AlertKey { owner, fired_at }, row } in &changes.alerts {
        let (rule, key, fired_at) = (&*owner.rule, owner.key.text(pipeline), *fired_at);
        let Some(row) = row else {
            to.delete(&AlertKeyRow { rule, key, fired_at });
            continue;
        };
        to.put(&AlertRow {
            rule,
            key,
            fired_at,
            figure: &row.figure,
            state: if row.resolved_at.is_none() { News::Firing } else { News::Resolved }.name(),
            threshold: row.threshold,
            value: row.value,
            resolved_at: row.resolved_at,
            resolved_value: row.resolved_value,
        });
    }
    notices(pipeline, changes, to);
    let at = changes.base_ms.unwrap_or(i64::MAX); // without a base states only go
    for Change { key: Owner { rule, key }, row } in &changes.states {
        let key = key.text(pipeline);
        to.forget(&AlertStateKey { rule, key: key.clone(), at });
        let Some(machine) = row else { continue };
        let (pending_since, fired_at, value) = match machine.phase {
            Phase::Ok => (None, None, None),
            Phase::Pending(since) => (Some(since), None, None),
            Phase::Firing(fired_at, value) => (None, Some(fired_at), value),
        };
        let last_fired = machine.last_fired;
        to.keep(&AlertStateRow { rule, key, at, pending_since, fired_at, value, last_fired });
    }
    for (kind, value) in [(ALERTS_JUDGED, changes.judged_ms), (ALERTS_BASE, changes.base_ms)] {
        let topic = topic.name();
        value.into_iter().for_each(|value| to.keep(&MarkRow { topic, kind, partition: -1, value }));
    }
}

/// Keeps what is told until it is taken.
fn notices(pipeline: Pipeline, changes: &alerts::changes::Changes, to: &mut impl Changed) {
    let name = pipeline.name();
    for Notice { number, key: AlertKey { owner, fired_at }, alert, news } in &changes.notices {
        to.keep(&AlertNoticeRow {
            pipeline: name,
            number: *number,
            rule: &owner.rule,
            key: owner.key.text(pipeline),
            fired_at: *fired_at,
            figure: &alert.figure,
            state: news.name(),
            threshold: alert.threshold,
            value: alert.value,
            resolved_at: alert.resolved_at,
            resolved_value: alert.resolved_value,
        });
    }
    changes.told_upto.into_iter().for_each(|number| to.forget(&AlertNoticeKey { pipeline: name, number }));
}

/// A count as stores have it.
fn count(count: u64) -> i64 {
    count.cast_signed()
}

fn traveler(change: &TravelerChange, to: &mut impl Changed) {
    let sensors::visits::TravelerKey { sensor_id, ref traveler_id, entered_at } = change.key;
    let Some(row) = &change.row else { return to.delete(&TravelerKey { sensor_id, traveler_id, entered_at }) };
    to.put(&TravelerRow {
        sensor_id,
        traveler_id,
        entered_at,
        traveler_type: &row.traveler_type,
        left_at: row.left_at,
        min_speed: row.min_speed,
        max_speed: row.max_speed,
        avg_speed: row.avg_speed,
        samples: count(row.samples),
    });
}

fn sensor_window(change: &WindowChange, to: &mut impl Changed) {
    let sensors::windows::WindowKey { sensor_id, ref traveler_type, window_end } = change.key;
    let Some(row) = &change.row else { return to.delete(&SensorWindowKey { sensor_id, traveler_type, window_end }) };
    to.put(&SensorWindowRow {
        sensor_id,
        traveler_type,
        window_end,
        window_ms: row.window_ms,
        min_speed: row.min_speed,
        max_speed: row.max_speed,
        avg_speed: row.avg_speed,
        samples: count(row.samples),
        travelers: count(row.travelers),
    });
}

fn reading_row(reading: &Movement) -> ReadingRow<'_> {
    let Arrival { ts, stream, offset } = reading.arrival;
    ReadingRow {
        sensor_id: reading.sensor_id,
        traveler_id: &reading.traveler_id,
        at: reading.at_ms,
        traveler_type: &reading.traveler_type,
        x: reading.x,
        y: reading.y,
        source_ts: ts,
        source_partition: partition_of_stream(stream).1,
        source_offset: offset.cast_signed(),
    }
}

fn camera_detection(change: &DetectionChange, to: &mut impl Changed) {
    let detection_oid = change.key;
    let Some(row) = &change.row else { return to.delete(&CameraDetectionKey { detection_oid }) };
    to.put(&CameraDetectionRow {
        detection_oid,
        geographical_location_oid: row.geographical_location_oid,
        geographical_location: row.geographical_location.as_deref(),
        video_camera_oid: row.video_camera_oid,
        item_name: &row.item_name,
        detected_at: row.detected_at,
        source_ts: row.arrival.ts,
        source_partition: partition_of_stream(row.arrival.stream).1,
        source_offset: row.arrival.offset.cast_signed(),
    });
}

fn camera_window(change: &CountChange, to: &mut impl Changed) {
    let cameras::counts::CountKey { geographical_location_oid, ref item_name, window_start } = change.key;
    let Some(row) = &change.row else {
        return to.delete(&CameraWindowKey { geographical_location_oid, item_name, window_start });
    };
    to.put(&CameraWindowRow {
        geographical_location_oid,
        item_name,
        window_start,
        window_ms: row.window_ms,
        detections: count(row.detections),
    });
}

/// Keeps a mark; those that are of no partition name one below all.
fn keep_mark(topic: Topic, mark: Mark, to: &mut impl Changed) {
    let mut keep = |kind, stream: Option<u32>, value| {
        let partition = stream.map_or(-1, |stream| i64::from(partition_of_stream(stream).1));
        to.keep(&MarkRow { topic: topic.name(), kind, partition, value });
    };
    match mark {
        Mark::Reached(stream, reached) => {
            keep(TOPIC_TIME, Some(stream), reached.ts);
            keep(OFFSET, Some(stream), reached.offset.cast_signed());
        }
        Mark::EventTime(watermark::Mark::Clock(stream, ms)) => keep(EVENT_TIME, Some(stream), ms),
        Mark::EventTime(watermark::Mark::Unseen(ms)) => keep(UNSEEN, None, ms),
        Mark::EventTime(watermark::Mark::Floor(ms)) => keep(FLOOR, None, ms),
        Mark::Settled(ms) => keep(SETTLED, None, ms),
        Mark::Store(number) => keep(STORE, None, number),
    }
}

/// A mark's kind: the highest offset of a partition that was read.
pub const OFFSET: &str = "offset";
/// A mark's kind: the latest topic time of a partition, ms since the epoch.
pub const TOPIC_TIME: &str = "topic_time";
/// A mark's kind: how far a partition has come in event time, ms since the epoch.
pub const EVENT_TIME: &str = "event_time";
/// A mark's kind: where partitions stand of which nothing came, ms since the epoch.
pub const UNSEEN: &str = "unseen";
/// A mark's kind: up to which end windows were judged by the rules of alerts, ms since the epoch.
pub const ALERTS_JUDGED: &str = "alerts_judged";
/// A mark's kind: up to which end windows change no alert any more, ms since the epoch.
pub const ALERTS_BASE: &str = "alerts_base";
/// A mark's kind: the time below which all is late, ms since the epoch.
pub const FLOOR: &str = "floor";
/// A mark's kind: the time below which rows are in the history, ms since the epoch.
pub const SETTLED: &str = "settled";
/// A mark's kind: the number that names the store, in its history.
pub const STORE: &str = "store";
