//! The messages of sensors and cameras as nearly all producers write them: see [`super::plain`].

use super::camera::{CameraDetection, MAX_ITEM_CHARS, TIMES_MS};
use super::movement::Movement;
use super::plain::{members, once};
use super::scan::Scan;
use super::value::{Finite, Id};

/// Reads a `movement`.
pub fn movement<const ESCAPED: bool>(text: &str) -> Option<Movement<'_>> {
    let scan = &mut Scan::<ESCAPED>::new(text);
    members!(scan, {
        "traveler_id" => required traveler_id: Id::new(scan.text()?)?,
        "traveler_type" => required traveler_type: scan.text()?.into(),
        "sensor_id" => required sensor_id: scan.whole()?,
        "position" => required position: read_position(scan)?,
        "timestamp" => required timestamp: scan.instant()?,
    });
    scan.ended().then_some(Movement { traveler_id, traveler_type, sensor_id, position, timestamp })
}

/// Reads a `camera-detection`.
pub fn camera_detection<const ESCAPED: bool>(text: &str) -> Option<CameraDetection<'_>> {
    let scan = &mut Scan::<ESCAPED>::new(text);
    members!(scan, {
        "geographical_location_oid" => required geographical_location_oid: scan.whole()?,
        "video_camera_oid" => required video_camera_oid: scan.whole()?,
        "detection_oid" => required detection_oid: scan.whole()?,
        "item_name" => required item_name: scan.text().filter(|name| name.len() <= MAX_ITEM_CHARS)?.into(),
        "timestamp_detected" => required timestamp_detected: scan.whole().filter(|ms| TIMES_MS.contains(ms))?,
    });
    scan.ended().then_some(CameraDetection {
        geographical_location_oid,
        video_camera_oid,
        detection_oid,
        item_name,
        timestamp_detected,
    })
}

fn read_position<const ESCAPED: bool>(scan: &mut Scan<'_, ESCAPED>) -> Option<(Finite, Finite)> {
    scan.skip(b'[').then_some(())?;
    let x = Finite::new(scan.number()?)?;
    scan.skip(b',').then_some(())?;
    scan.skip(b' ');
    let y = Finite::new(scan.number()?)?;
    scan.skip(b']').then_some((x, y))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOVEMENT: &str = r#"{"traveler_id":"t","traveler_type":"","sensor_id":-4,"position":[1, -2.5],"timestamp":"1970-01-01T00:00:01Z"}"#;
    const CAMERA: &str = r#"{"geographical_location_oid":1,"video_camera_oid":2,"detection_oid":-3,"item_name":"car","timestamp_detected":4}"#;

    fn escaped(text: &str) -> String {
        text.replace('"', "\\\"")
    }

    #[test]
    fn both_forms_are_read_as_the_parser_reads_them() {
        for text in [MOVEMENT, &MOVEMENT.replace("-2.5", "7000.25").replace(":01Z", ":01.5Z")] {
            let parsed = format!("{:?}", serde_json::from_str::<Movement<'_>>(text).unwrap());
            assert_eq!(format!("{:?}", movement::<false>(text).unwrap()), parsed);
            assert_eq!(format!("{:?}", movement::<true>(&escaped(text)).unwrap()), parsed);
        }
        let parsed = format!("{:?}", serde_json::from_str::<CameraDetection<'_>>(CAMERA).unwrap());
        assert_eq!(format!("{:?}", camera_detection::<false>(CAMERA).unwrap()), parsed);
        assert_eq!(format!("{:?}", camera_detection::<true>(&escaped(CAMERA)).unwrap()), parsed);
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_parser() {
        for (plain, other) in
            [("\"t\"", "\"\""), ("-4", "4.0"), ("-4", "1e2"), ("[1, -2.5]", "[1]"), ("[1", "[1,2"), ("Z", "")]
        {
            assert!(movement::<false>(&MOVEMENT.replace(plain, other)).is_none(), "{other}");
        }
        let long = format!("\"{}\"", "x".repeat(MAX_ITEM_CHARS + 1));
        for (plain, other) in
            [(":4", ":9223372036854775807"), (":4", ":999999999999999999"), ("\"car\"", &*long), (":1", ":01")]
        {
            assert!(camera_detection::<false>(&CAMERA.replace(plain, other)).is_none(), "{other}");
        }
    }
}
