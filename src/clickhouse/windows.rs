//! The tables of sensors and cameras as ClickHouse holds them, and what a later run goes on from.

use super::schema::{Column, Kind, Rows, Table, columns};

/// The tables of sensors.
pub static SENSORS: [Table; 3] = [
    Table {
        name: "sensor_travelers",
        keys: 3,
        rows: Rows::Changed,
        columns: columns![
            sensor_id: Integer, traveler_id: Text, entered_at: Time, traveler_type: Word, left_at: Time,
            min_speed: Real or null, max_speed: Real or null, avg_speed: Real or null, samples: Integer,
        ],
    },
    Table {
        name: "sensor_windows",
        keys: 3,
        rows: Rows::Changed,
        columns: columns![
            sensor_id: Integer, traveler_type: Word, window_end: Time, window_ms: Integer, min_speed: Real or null,
            max_speed: Real or null, avg_speed: Real or null, samples: Integer, travelers: Integer,
        ],
    },
    Table {
        name: "sensor_readings",
        keys: 3,
        rows: Rows::Changed,
        columns: columns![
            sensor_id: Integer, traveler_id: Text, at: Time, traveler_type: Word, x: Real, y: Real, source_ts: Integer,
            source_partition: Number, source_offset: Integer,
        ],
    },
];

/// The tables of cameras.
pub static CAMERAS: [Table; 2] = [
    Table {
        name: "camera_detections",
        keys: 1,
        rows: Rows::Recent,
        columns: columns![
            detection_oid: Integer, geographical_location_oid: Integer, geographical_location: Text or null,
            video_camera_oid: Integer, item_name: Word, detected_at: Time, source_ts: Integer, source_partition: Number,
            source_offset: Integer,
        ],
    },
    Table {
        name: "camera_windows",
        keys: 3,
        rows: Rows::Changed,
        columns: columns![
            geographical_location_oid: Integer, item_name: Word, window_start: Time, window_ms: Integer,
            detections: Integer,
        ],
    },
];

/// The tables that sensors and cameras share: alerts, how far reading has come, and what is about to be changed.
pub static WINDOWS: [Table; 5] = [
    Table {
        name: "alerts",
        keys: 3,
        rows: Rows::Changed,
        columns: columns![
            rule: Word, key: Text, fired_at: Time, figure: Word, state: Word, threshold: Real or null, value: Real or null,
            resolved_at: Time or null, resolved_value: Real or null,
        ],
    },
    Table {
        name: "alert_states",
        keys: 3,
        rows: Rows::Changed,
        columns: columns![
            rule: Word, key: Text, at: Time, pending_since: Time or null, fired_at: Time or null, value: Real or null,
            last_fired: Time or null,
        ],
    },
    Table {
        name: "alert_notices",
        keys: 2,
        rows: Rows::Changed,
        columns: columns![
            pipeline: Word, number: Integer, rule: Word, key: Text, fired_at: Time, figure: Word, state: Word,
            threshold: Real or null, value: Real or null, resolved_at: Time or null, resolved_value: Real or null,
        ],
    },
    Table {
        name: "watermarks",
        keys: 3,
        rows: Rows::Changed,
        columns: columns![topic: Word, kind: Word, partition: Integer, value: Integer],
    },
    Table {
        name: "pending_changes",
        keys: 2,
        rows: Rows::Handed,
        columns: columns![pipeline: Text, number: Integer, changes: Text],
    },
];
