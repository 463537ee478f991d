//! The tables' rows as FORMATS names their columns: what every store writes, made from the rows that flow.

use columnar::Ref;
use hexflow_dataflows::rows::{Detection, Frame, Meta, Track, gps_key, text};
use serde::Serialize;
use uuid::Uuid;

/// An axion track id, as text.
#[derive(Clone, Copy, Debug)]
pub struct AxionId([u8; 36]);

impl AxionId {
    fn of(meta: Ref<'_, Meta>) -> Self {
        let mut id = [0; 36];
        Uuid::from_u128(meta.axion).hyphenated().encode_lower(&mut id);
        AxionId(id)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }
}

impl Serialize for AxionId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// An H3 cell as 15 hex digits.
#[derive(Clone, Copy, Debug)]
pub struct Cell([u8; 15]);

impl Cell {
    /// The text of a cell's index.
    pub fn of(index: u64) -> Self {
        let mut digits = [0; 15];
        for (n, digit) in digits.iter_mut().rev().enumerate() {
            *digit = b"0123456789abcdef"[(index >> (4 * n) & 0xf) as usize];
        }
        Cell(digits)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }
}

impl Serialize for Cell {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A row of `tracks`; times in ms since the epoch.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "FORMATS says what the columns are")]
pub struct TrackRow<'a> {
    pub track_id: AxionId,
    pub citylens_track_id: &'a str,
    pub org_id: Option<&'a str>,
    pub status: &'a str,
    pub device_id: Option<&'a str>,
    pub started_at: i64,
    pub ended_at: Option<i64>,
    pub distance_meters: Option<f64>,
    pub updated_at: i64,
}

impl<'a> TrackRow<'a> {
    /// The row that is written for `track`.
    pub fn of(track: Ref<'a, Track>) -> Self {
        TrackRow {
            track_id: AxionId::of(track.meta),
            citylens_track_id: text(track.track_id),
            org_id: track.meta.org_id.map(text),
            status: text(track.status),
            device_id: track.device_id.map(text),
            started_at: *track.started_at,
            ended_at: track.ended_at.copied(),
            distance_meters: track.distance_meters.copied(),
            updated_at: *track.meta.updated_at,
        }
    }
}

/// A row of `frames`; times in ms since the epoch.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "FORMATS says what the columns are")]
pub struct FrameRow<'a> {
    pub frame_id: &'a str,
    pub track_id: AxionId,
    pub citylens_track_id: &'a str,
    pub org_id: Option<&'a str>,
    pub sequence: u32,
    pub captured_at: i64,
    pub lat: f64,
    pub lon: f64,
    pub altitude: Option<f64>,
    pub accuracy: Option<f64>,
    pub heading: Option<f64>,
    pub speed: Option<f64>,
    pub image_url: Option<&'a str>,
    pub gps_key: Option<String>,
    pub updated_at: i64,
}

impl<'a> FrameRow<'a> {
    /// The row that is written for `frame`.
    pub fn of(frame: Ref<'a, Frame>) -> Self {
        FrameRow {
            frame_id: text(frame.frame_id),
            track_id: AxionId::of(frame.meta),
            citylens_track_id: text(frame.track_id),
            org_id: frame.meta.org_id.map(text),
            sequence: *frame.sequence,
            captured_at: *frame.captured_at,
            lat: *frame.lat,
            lon: *frame.lon,
            altitude: frame.altitude.copied(),
            accuracy: frame.accuracy.copied(),
            heading: frame.heading.copied(),
            speed: frame.speed.copied(),
            image_url: frame.image_url.map(text),
            gps_key: frame.gps.map(|_| gps_key(frame.meta.axion, frame.meta.key, *frame.meta.content)),
            updated_at: *frame.meta.updated_at,
        }
    }
}

/// A row of `detections`; times in ms since the epoch.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "FORMATS says what the columns are")]
pub struct DetectionRow<'a> {
    pub detection_id: &'a str,
    pub frame_id: &'a str,
    pub track_id: AxionId,
    pub citylens_track_id: &'a str,
    pub org_id: Option<&'a str>,
    pub detector: &'a str,
    pub class_name: &'a str,
    pub confidence: f64,
    pub bbox_x: f64,
    pub bbox_y: f64,
    pub bbox_width: f64,
    pub bbox_height: f64,
    pub lat: f64,
    pub lon: f64,
    pub h3: Cell,
    pub detected_at: i64,
    pub updated_at: i64,
    pub source: &'a str,
}

impl<'a> DetectionRow<'a> {
    /// The row that is written for `detection`.
    pub fn of(detection: Ref<'a, Detection>) -> Self {
        let (x, y, width, height) = detection.bbox;
        DetectionRow {
            detection_id: text(detection.detection_id),
            frame_id: text(detection.frame_id),
            track_id: AxionId::of(detection.meta),
            citylens_track_id: text(detection.track_id),
            org_id: detection.meta.org_id.map(text),
            detector: text(detection.detector),
            class_name: text(detection.class_name),
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
}

/// What rows of this pipeline have as their source.
pub const SOURCE: &str = "citylens";

/// What is done to a row, in the audit.
pub const UPSERT: &str = "upsert";

/// A row of `audit_log`: one for each row written; times in ms since the epoch.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "FORMATS says what the columns are")]
pub struct AuditRow<'a> {
    pub request_id: &'a str,
    pub entity: &'static str,
    pub entity_id: &'a str,
    pub org_id: Option<&'a str>,
    pub action: &'static str,
    pub source: &'static str,
    pub at: i64,
}

/// The audit of writing the row of that id.
pub fn audit<'a>(meta: Ref<'a, Meta>, entity: &'static str, entity_id: &'a str) -> AuditRow<'a> {
    AuditRow {
        request_id: text(meta.request_id),
        entity,
        entity_id,
        org_id: meta.org_id.map(text),
        action: UPSERT,
        source: SOURCE,
        at: *meta.updated_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_fifteen_hex_digits() {
        assert_eq!(Cell::of(0x0822_9a7f_ffff_ffff).as_str(), "8229a7fffffffff");
    }
}
