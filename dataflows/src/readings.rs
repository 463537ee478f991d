//! The rows of sensors and cameras, in columns, and where their records stand.

use columnar::Columnar;
use hexflow_operators::watermark::Stamp;
use serde::{Deserialize, Serialize};

use crate::record::Record;
use crate::rows::stream_of;

/// Where a row's record stands among all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Columnar, Serialize, Deserialize)]
pub struct Arrival {
    /// The record's time in its topic, ms since the epoch; never falls within a partition: see [`crate::arrivals`].
    pub ts: i64,
    /// Topic and partition: see [`stream_of`].
    pub stream: u32,
    /// Offset in the partition.
    pub offset: u64,
}

/// A reading of a sensor.
#[derive(Clone, Debug, Default, PartialEq, Columnar, Serialize, Deserialize)]
pub struct Movement {
    /// Its record's place.
    pub arrival: Arrival,
    /// The sensor.
    pub sensor_id: i64,
    /// Who was seen.
    pub traveler_id: String,
    /// What kind of traveller.
    pub traveler_type: String,
    /// m.
    pub x: f64,
    /// m.
    pub y: f64,
    /// When, ms since the epoch.
    pub at_ms: i64,
}

/// What a camera recognised.
#[derive(Clone, Debug, Default, PartialEq, Columnar, Serialize, Deserialize)]
pub struct CameraDetection {
    /// Its record's place.
    pub arrival: Arrival,
    /// Where the camera stands.
    pub geographical_location_oid: i64,
    /// The camera.
    pub video_camera_oid: i64,
    /// Names the detection.
    pub detection_oid: i64,
    /// What was seen.
    pub item_name: String,
    /// When, ms since the epoch.
    pub detected_ms: i64,
}

impl Arrival {
    /// That of `record`.
    pub fn of(record: &Record<'_>) -> Self {
        Arrival { ts: record.ts, stream: stream_of(record.topic, record.partition), offset: record.offset }
    }

    /// The stamp of an event at `event_ms` that arrived so. A sensor's clock may be wrong: by more than `lateness_ms` ahead
    /// of its topic's time it does not move its partition's time on, or all that follows would be late.
    pub fn stamp(self, event_ms: i64, lateness_ms: i64) -> Stamp {
        let clock_ms = event_ms.min(self.ts.saturating_add(lateness_ms));
        Stamp { partition: self.stream, event_ms, clock_ms }
    }
}
