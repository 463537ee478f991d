//! The rows of sensors and cameras, and the keys of those that go.

use super::columns::{Column, Columns, Value, Visitor, column, row};

row! {
    /// A row of `sensor_travelers`; times in ms since the epoch, speeds in m/s.
    TravelerRow of sensor_travelers {
        sensor_id: i64,
        traveler_id: &'a str,
        entered_at: i64,
        traveler_type: &'a str,
        left_at: i64,
        min_speed: Option<f64>,
        max_speed: Option<f64>,
        avg_speed: Option<f64>,
        samples: i64,
    }
}

row! {
    /// The key of a row of `sensor_travelers`.
    TravelerKey of sensor_travelers {
        sensor_id: i64,
        traveler_id: &'a str,
        entered_at: i64,
    }
}

row! {
    /// A row of `sensor_windows`; times in ms since the epoch, speeds in m/s.
    SensorWindowRow of sensor_windows {
        sensor_id: i64,
        traveler_type: &'a str,
        window_end: i64,
        window_ms: i64,
        min_speed: Option<f64>,
        max_speed: Option<f64>,
        avg_speed: Option<f64>,
        samples: i64,
        travelers: i64,
    }
}

row! {
    /// The key of a row of `sensor_windows`.
    SensorWindowKey of sensor_windows {
        sensor_id: i64,
        traveler_type: &'a str,
        window_end: i64,
    }
}

row! {
    /// A row of `sensor_readings`, which a later run goes on from: times in ms since the epoch, places in m.
    ReadingRow of sensor_readings {
        sensor_id: i64,
        traveler_id: &'a str,
        at: i64,
        traveler_type: &'a str,
        x: f64,
        y: f64,
        source_ts: i64,
        source_partition: u32,
        source_offset: i64,
    }
}

row! {
    /// A traveller's readings at a sensor, up to a time.
    EndedRow of sensor_readings {
        sensor_id: i64,
        traveler_id: &'a str,
        at: i64,
    }
}

row! {
    /// A row of `watermarks`: how far reading has come, for a later run to go on from.
    MarkRow of watermarks {
        topic: &'a str,
        kind: &'a str,
        partition: i64,
        value: i64,
    }
}

row! {
    /// A row of `camera_detections`; times in ms since the epoch.
    CameraDetectionRow of camera_detections {
        detection_oid: i64,
        geographical_location_oid: i64,
        geographical_location: Option<&'a str>,
        video_camera_oid: i64,
        item_name: &'a str,
        detected_at: i64,
        source_ts: i64,
        source_partition: u32,
        source_offset: i64,
    }
}

row! {
    /// A row of `camera_windows`; times in ms since the epoch.
    CameraWindowRow of camera_windows {
        geographical_location_oid: i64,
        item_name: &'a str,
        window_start: i64,
        window_ms: i64,
        detections: i64,
    }
}

row! {
    /// The key of a row of `camera_windows`.
    CameraWindowKey of camera_windows {
        geographical_location_oid: i64,
        item_name: &'a str,
        window_start: i64,
    }
}

/// The key of a row of `camera_detections`.
#[derive(Debug)]
pub struct CameraDetectionKey {
    /// Names the detection.
    pub detection_oid: i64,
}

impl Columns for CameraDetectionKey {
    const TABLE: &'static str = CameraDetectionRow::TABLE;
    const COLUMNS: &'static [Column] = &[column!(detection_oid)];

    fn visit(&self, visitor: &mut impl Visitor) {
        self.detection_oid.show(const { column!(detection_oid) }, visitor);
    }
}
