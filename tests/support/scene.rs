//! Makes records: valid ones, to be sent as they are or to be broken by a test.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::record::{CAMERAS, DETECTIONS, FRAMES, MOVEMENTS, Record, TRACKS};

/// 2022-01-03T00:00:00Z.
pub(crate) const MIDNIGHT_MS: i64 = 1_641_168_000_000;

/// The time `ms` after the scene's midnight, as messages write it.
pub(crate) fn at(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(MIDNIGHT_MS + ms).expect("a time").to_string()
}

/// A `citylens-track`.
pub(crate) fn track(id: &str, updated: i64) -> Value {
    json!({"trackId": id, "status": "recording", "startedAt": at(0), "updatedAt": at(updated)})
}

/// A `citylens-frame`.
pub(crate) fn frame(id: &str, track: &str, updated: i64) -> Value {
    json!({
        "frameId": id, "trackId": track, "sequence": 3, "capturedAt": at(updated),
        "location": {"lat": 33.60716, "lon": -117.91483}, "heading": 12.5, "speed": 4.25,
        "gps": [{"at": at(updated), "lat": 33.60716, "lon": -117.91483, "accuracy": 5}],
        "updatedAt": at(updated),
    })
}

/// A `citylens-detection`.
pub(crate) fn detection(id: &str, frame: &str, track: &str, updated: i64) -> Value {
    json!({
        "detectionId": id, "frameId": frame, "trackId": track, "detector": "signs", "className": "stop",
        "confidence": 0.75, "bbox": {"x": 1, "y": 2.5, "width": 30, "height": 40},
        "location": {"lat": 33.60716, "lon": -117.91483}, "detectedAt": at(updated), "updatedAt": at(updated),
    })
}

/// Records in the making: offsets count up in each partition, creation times by 10 ms.
#[derive(Default)]
pub(crate) struct Scene {
    pub(crate) records: Vec<Record>,
    next_offset: BTreeMap<(&'static str, u32), u64>,
}

impl Scene {
    /// Appends a record with the usual headers; it may then be changed.
    pub(crate) fn send(&mut self, topic: &'static str, partition: u32, body: &Value) -> &mut Record {
        let offset = self.next_offset.entry((topic, partition)).or_default();
        let (number, kind) = (self.records.len(), message_type(topic));
        let headers =
            [("message-type", kind), ("request-id", &format!("r-{number}")), ("org-id", "org-1"), ("env", "prod")];
        self.records.push(Record {
            topic: topic.to_owned(),
            partition,
            offset: *offset,
            ts: MIDNIGHT_MS + 10 * i64::try_from(number).expect("small"),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            key: body["trackId"].as_str().map(str::to_owned),
            payload: Some(body.to_string()),
        });
        *offset += 1;
        self.records.last_mut().expect("just pushed")
    }

    /// A track, its frame and a detection in that, in the given partition; `name` makes their ids.
    pub(crate) fn vehicle(&mut self, name: &str, partition: u32) {
        let (t, f, d) = (format!("t-{name}"), format!("f-{name}"), format!("d-{name}"));
        self.send(TRACKS, partition, &track(&t, 0));
        self.send(FRAMES, partition, &frame(&f, &t, 10));
        self.send(DETECTIONS, partition, &detection(&d, &f, &t, 20));
    }

    /// So many vehicles, over all partitions.
    pub(crate) fn vehicles(count: u32) -> Scene {
        let mut scene = Scene::default();
        for n in 0..count {
            scene.vehicle(&format!("vehicle-{n}"), n % 24);
        }
        scene
    }
}

/// The one message type of a topic that is read.
pub(crate) fn message_type(topic: &str) -> &'static str {
    match topic {
        TRACKS => "citylens-track",
        FRAMES => "citylens-frame",
        DETECTIONS => "citylens-detection",
        MOVEMENTS => "movement",
        CAMERAS => "camera-detection",
        _ => panic!("{topic} is none of the topics that are read"),
    }
}
