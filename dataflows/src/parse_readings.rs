//! From the messages of sensors and cameras to rows in columns.

use hexflow_operators::Batch;

use crate::messages::{camera, movement, plain_readings};
use crate::parse::read;
use crate::readings::{Arrival, CameraDetection, CameraDetectionReference, Movement, MovementReference};
use crate::record::Record;

/// Appends the row of a `movement`, or says what is wrong with it.
pub fn movement(record: &Record<'_>, rows: &mut Batch<Movement>) -> Result<(), String> {
    let message: movement::Movement<'_> =
        read(record, plain_readings::movement::<false>, plain_readings::movement::<true>)?;
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
    let message: camera::CameraDetection<'_> =
        read(record, plain_readings::camera_detection::<false>, plain_readings::camera_detection::<true>)?;
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
