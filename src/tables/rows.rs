//! The tables' rows, made from the rows that flow.

use columnar::Ref;
use hexflow_dataflows::rows::{Detection, Entity, Frame, Meta, Track, gps_key};

use super::columns::{Columns, Text, row};
use super::id::{AxionId, Cell};

/// A kind of row that has a table.
pub trait Tabled: Entity {
    /// The table's row.
    type Row<'a>: Columns;
    /// What the audit calls it.
    const ENTITY: &'static str;

    /// The row that is written.
    fn row(row: Ref<'_, Self>) -> Self::Row<'_>;
    /// The row's primary key.
    fn id<'a>(row: &'a Self::Row<'_>) -> Text<'a>;

    /// The audit of writing `row`.
    fn audit<'a>(meta: Ref<'a, Meta>, row: &'a Self::Row<'_>) -> AuditRow<'a> {
        AuditRow {
            request_id: Text(meta.request_id),
            entity: Self::ENTITY,
            entity_id: Self::id(row),
            org_id: meta.org_id.map(Text),
            action: UPSERT,
            source: SOURCE,
            at: *meta.updated_at,
        }
    }
}

row! {
    /// A row of `tracks`; times in ms since the epoch.
    TrackRow of tracks {
        track_id: AxionId,
        citylens_track_id: Text<'a>,
        org_id: Option<Text<'a>>,
        status: Text<'a>,
        device_id: Option<Text<'a>>,
        started_at: i64,
        ended_at: Option<i64>,
        distance_meters: Option<f64>,
        updated_at: i64,
    }
}

impl Tabled for Track {
    type Row<'a> = TrackRow<'a>;
    const ENTITY: &'static str = "track";

    fn row(track: Ref<'_, Self>) -> TrackRow<'_> {
        TrackRow {
            track_id: AxionId::of(track.meta.axion),
            citylens_track_id: Text(track.track_id),
            org_id: track.meta.org_id.map(Text),
            status: Text(track.status),
            device_id: track.device_id.map(Text),
            started_at: *track.started_at,
            ended_at: track.ended_at.copied(),
            distance_meters: track.distance_meters.copied(),
            updated_at: *track.meta.updated_at,
        }
    }

    fn id<'a>(row: &'a TrackRow<'_>) -> Text<'a> {
        Text(row.track_id.as_bytes())
    }
}

row! {
    /// A row of `frames`; times in ms since the epoch.
    FrameRow of frames {
        frame_id: Text<'a>,
        track_id: AxionId,
        citylens_track_id: Text<'a>,
        org_id: Option<Text<'a>>,
        sequence: u32,
        captured_at: i64,
        lat: f64,
        lon: f64,
        altitude: Option<f64>,
        accuracy: Option<f64>,
        heading: Option<f64>,
        speed: Option<f64>,
        image_url: Option<Text<'a>>,
        gps_key: Option<String>,
        updated_at: i64,
    }
}

impl Tabled for Frame {
    type Row<'a> = FrameRow<'a>;
    const ENTITY: &'static str = "frame";

    fn row(frame: Ref<'_, Self>) -> FrameRow<'_> {
        FrameRow {
            frame_id: Text(frame.frame_id),
            track_id: AxionId::of(frame.meta.axion),
            citylens_track_id: Text(frame.track_id),
            org_id: frame.meta.org_id.map(Text),
            sequence: *frame.sequence,
            captured_at: *frame.captured_at,
            lat: *frame.lat,
            lon: *frame.lon,
            altitude: frame.altitude.copied(),
            accuracy: frame.accuracy.copied(),
            heading: frame.heading.copied(),
            speed: frame.speed.copied(),
            image_url: frame.image_url.map(Text),
            gps_key: frame.gps.map(|_| gps_key(frame.meta.axion, frame.meta.key, *frame.meta.content)),
            updated_at: *frame.meta.updated_at,
        }
    }

    fn id<'a>(row: &'a FrameRow<'_>) -> Text<'a> {
        row.frame_id
    }
}

row! {
    /// A row of `detections`; times in ms since the epoch.
    DetectionRow of detections {
        detection_id: Text<'a>,
        frame_id: Text<'a>,
        track_id: AxionId,
        citylens_track_id: Text<'a>,
        org_id: Option<Text<'a>>,
        detector: Text<'a>,
        class_name: Text<'a>,
        confidence: f64,
        bbox_x: f64,
        bbox_y: f64,
        bbox_width: f64,
        bbox_height: f64,
        lat: f64,
        lon: f64,
        h3: Cell,
        detected_at: i64,
        updated_at: i64,
        source: &'static str,
    }
}

impl Tabled for Detection {
    type Row<'a> = DetectionRow<'a>;
    const ENTITY: &'static str = "detection";

    fn row(detection: Ref<'_, Self>) -> DetectionRow<'_> {
        let (x, y, width, height) = detection.bbox;
        DetectionRow {
            detection_id: Text(detection.detection_id),
            frame_id: Text(detection.frame_id),
            track_id: AxionId::of(detection.meta.axion),
            citylens_track_id: Text(detection.track_id),
            org_id: detection.meta.org_id.map(Text),
            detector: Text(detection.detector),
            class_name: Text(detection.class_name),
            confidence: *detection.confidence,
            bbox_x: *x,
            bbox_y: *y,
            bbox_width: *width,
            bbox_height: *height,
            lat: *detection.lat,
            lon: *detection.lon,
            h3: Cell::of(*detection.cell),
            detected_at: *detection.detected_at,
            updated_at: *detection.meta.updated_at,
            source: SOURCE,
        }
    }

    fn id<'a>(row: &'a DetectionRow<'_>) -> Text<'a> {
        row.detection_id
    }
}

/// What rows of this pipeline have as their source.
pub const SOURCE: &str = "citylens";

/// What is done to a row, in the audit.
pub const UPSERT: &str = "upsert";

row! {
    /// A row of `audit_log`: one for each row written; times in ms since the epoch.
    AuditRow of audit_log {
        request_id: Text<'a>,
        entity: &'static str,
        entity_id: Text<'a>,
        org_id: Option<Text<'a>>,
        action: &'static str,
        source: &'static str,
        at: i64,
    }
}
