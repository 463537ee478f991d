//! From the messages of sensors and cameras to rows in columns.

use columnar::Columnar;
use hexflow_operators::Batch;
use hexflow_operators::watermark::Stamp;

use crate::messages::{camera, movement};
use crate::parse::read;
use crate::record::Record;
use crate::rows::stream_of;

/// Where a row's record stands among all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Columnar)]
pub struct Arrival {
    /// The record's time in its topic, ms since the epoch; never falls within a partition: see [`crate::arrivals`].
    pub ts: i64,
    /// Topic and partition: see [`stream_of`].
    pub stream: u32,
    /// Offset in the partition.
    pub offset: u64,
}

/// A reading of a sensor.
#[derive(Clone, Debug, Default, PartialEq, Columnar)]
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
#[derive(Clone, Debug, Default, PartialEq, Columnar)]
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
    fn of(record: &Record<'_>) -> Self {
        Arrival { ts: record.ts, stream: stream_of(record.topic, record.partition), offset: record.offset }
    }

    /// The stamp of an event at `event_ms` that arrived so. A sensor's clock may be wrong: by more than `lateness_ms` ahead
    /// of its topic's time it does not move its partition's time on, or all that follows would be late.
    pub fn stamp(self, event_ms: i64, lateness_ms: i64) -> Stamp {
        let clock_ms = event_ms.min(self.ts.saturating_add(lateness_ms));
        Stamp { partition: self.stream, event_ms, clock_ms }
    }
}

/// Appends the row of a `movement`, or says what is wrong with it.
pub fn movement(record: &Record<'_>, rows: &mut Batch<Movement>) -> Result<(), String> {
    let message: movement::Movement<'_> = read(record, |_| None, |_| None)?;
    rows.push(MovementReference {
        arrival: &Arrival::of(record),
        sensor_id: message.sensor_id,
        traveler_id: &*message.traveler_id.0,
        traveler_type: &*message.traveler_type.0,
        x: message.position.0.0,
        y: message.position.1.0,
        at_ms: message.timestamp.ms,
    });
    Ok(())
}

/// Appends the row of a `camera-detection`, or says what is wrong with it.
pub fn camera_detection(record: &Record<'_>, rows: &mut Batch<CameraDetection>) -> Result<(), String> {
    let message: camera::CameraDetection<'_> = read(record, |_| None, |_| None)?;
    rows.push(CameraDetectionReference {
        arrival: &Arrival::of(record),
        geographical_location_oid: message.geographical_location_oid,
        video_camera_oid: message.video_camera_oid,
        detection_oid: message.detection_oid,
        item_name: &*message.item_name.0,
        detected_ms: message.timestamp_detected,
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::topic::Topic;
    use crate::record::Payload;

    fn record(payload: &str) -> Record<'_> {
        let (topic, payload) = (Topic::CitylensTracks, Some(Payload::Text(payload)));
        Record { topic, partition: 3, offset: 7, ts: 5, headers: &[], key: None, payload, original: None }
    }

    const MOVEMENT: &str = r#"{"traveler_id":"t","traveler_type":"car","sensor_id":4,"position":[1,-2.5],"timestamp":"1970-01-01T00:00:01","more":1}"#;
    const CAMERA: &str = r#"{"geographical_location_oid":1,"video_camera_oid":2,"detection_oid":3,"item_name":"car","timestamp_detected":4}"#;

    #[test]
    fn reads_what_formats_allows() {
        let mut rows = Batch::default();
        movement(&record(MOVEMENT), &mut rows).unwrap();
        movement(&record(&MOVEMENT.replace(":01\"", ":02.0009+00:00\"")), &mut rows).unwrap();
        let read: Vec<_> = rows.iter().map(|row| (*row.sensor_id, *row.x, *row.y, *row.at_ms)).collect();
        assert_eq!(read, [(4, 1.0, -2.5, 1_000), (4, 1.0, -2.5, 2_000)]);
        let mut rows = Batch::default();
        camera_detection(&record(CAMERA), &mut rows).unwrap();
        camera_detection(&record(&CAMERA.replace("\"car\"", &format!("\"{}\"", "é".repeat(5_000)))), &mut rows)
            .unwrap();
        assert_eq!(rows.iter().map(|row| row.item_name.len()).collect::<Vec<_>>(), [3, 10_000]);
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (good, bad, field) in [
            ("\"t\"", "\"\"", "traveler_id"),
            ("\"t\"", "7", "traveler_id"),
            ("\"car\"", "null", "traveler_type"),
            ("4", "4.0", "sensor_id"),
            ("4", "\"4\"", "sensor_id"),
            ("[1,-2.5]", "[1]", "position"),
            ("[1,-2.5]", "[1,2,3]", "position"),
            ("[1,-2.5]", "[1,1e999]", ""),
            ("[1,-2.5]", "{\"x\":1,\"y\":2}", "position"),
            ("1970-01-01T00:00:01", "1970-01-01", "timestamp"),
            ("\"1970-01-01T00:00:01\"", "1", "timestamp"),
            ("\"sensor_id\":4,", "", "sensor_id"),
            ("}", "", ""),
        ] {
            let error = movement(&record(&MOVEMENT.replace(good, bad)), &mut Batch::default()).unwrap_err();
            assert!(error.contains(field), "{bad}: {error}");
        }
        let long = format!("\"{}\"", "x".repeat(5_001));
        for (good, bad, field) in [
            (":1", ":1.5", "geographical_location_oid"),
            (":2", ":9223372036854775808", "video_camera_oid"),
            (":3", ":null", "detection_oid"),
            ("\"car\"", &*long, "item_name"),
            (":4", ":\"4\"", "timestamp_detected"),
            (":4", ":9223372036854775807", "timestamp_detected"),
        ] {
            let error = camera_detection(&record(&CAMERA.replace(good, bad)), &mut Batch::default()).unwrap_err();
            assert!(error.contains(field), "{bad}: {error}");
        }
        for empty in [None, Some(Payload::Text(""))] {
            let record = Record { payload: empty, ..record("") };
            assert!(camera_detection(&record, &mut Batch::default()).unwrap_err().contains("empty"));
        }
    }
}
