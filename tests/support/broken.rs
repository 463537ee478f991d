//! Ways in which a record breaks the contract, each with what its reason must name.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::record::{DETECTIONS, FRAMES, Record, TRACKS};
use super::scene::{Scene, detection, frame, track};

/// One way.
pub(crate) struct Breakage {
    topic: &'static str,
    /// A word of the reason; empty where no word is the right one.
    names: &'static str,
    apply: fn(&mut Record),
}

/// A broken record in the midst of others, and a word of the reason.
pub(crate) struct Broken {
    pub(crate) record: Record,
    pub(crate) names: &'static str,
}

const fn breakage(topic: &'static str, names: &'static str, apply: fn(&mut Record)) -> Breakage {
    Breakage { topic, names, apply }
}

fn set(record: &mut Record, at: &str, value: Value) {
    record.edit(|body| *body.pointer_mut(at).expect("a field") = value);
}

fn remove(record: &mut Record, field: &str) {
    record.edit(|body| drop(body.as_object_mut().expect("an object").remove(field)));
}

const FRAME_BREAKAGES: &[Breakage] = &[
    breakage(FRAMES, "", |r| r.payload.as_mut().expect("a payload").truncate(60)),
    breakage(FRAMES, "capturedAt", |r| remove(r, "capturedAt")),
    breakage(FRAMES, "sequence", |r| set(r, "/sequence", json!("seven"))),
    breakage(FRAMES, "sequence", |r| set(r, "/sequence", json!(-1))),
    breakage(FRAMES, "sequence", |r| set(r, "/sequence", json!(4_294_967_296_u64))),
    breakage(FRAMES, "sequence", |r| set(r, "/sequence", json!(1.5))),
    breakage(FRAMES, "lat", |r| set(r, "/location/lat", json!(90.5))),
    breakage(FRAMES, "lon", |r| set(r, "/location/lon", json!(-180.01))),
    breakage(FRAMES, "location", |r| remove(r, "location")),
    breakage(FRAMES, "location", |r| set(r, "/location", json!([33.6, -117.9]))),
    breakage(FRAMES, "heading", |r| set(r, "/heading", json!(360))),
    breakage(FRAMES, "speed", |r| set(r, "/speed", json!("fast"))),
    breakage(FRAMES, "gps", |r| set(r, "/gps", json!({"lat": 1, "lon": 2}))),
    breakage(FRAMES, "gps", |r| set(r, "/gps/0/lat", json!(91))),
    breakage(FRAMES, "gps", |r| set(r, "/gps/0", json!({"lat": 1, "lon": 2}))),
    breakage(FRAMES, "frameId", |r| set(r, "/frameId", json!(""))),
    breakage(FRAMES, "trackId", |r| set(r, "/trackId", json!("t".repeat(257)))),
    breakage(FRAMES, "updatedAt", |r| set(r, "/updatedAt", json!("yesterday"))),
    breakage(FRAMES, "payload", |r| r.payload = Some(String::new())),
    breakage(FRAMES, "payload", |r| r.payload = None),
    breakage(FRAMES, "message-type", |r| r.set_header("message-type", Some("citylens-frames"))),
    breakage(FRAMES, "request-id", |r| r.set_header("request-id", None)),
    breakage(FRAMES, "env", |r| r.set_header("env", None)),
];

const DETECTION_BREAKAGES: &[Breakage] = &[
    breakage(DETECTIONS, "confidence", |r| set(r, "/confidence", json!(1.01))),
    breakage(DETECTIONS, "confidence", |r| set(r, "/confidence", json!(-0.1))),
    breakage(DETECTIONS, "", |r| r.payload = r.payload.as_ref().map(|p| p.replace("0.75", "1e999"))),
    breakage(DETECTIONS, "width", |r| set(r, "/bbox", json!({"x": 1, "y": 2, "height": 4}))),
    breakage(DETECTIONS, "bbox", |r| set(r, "/bbox", json!([1, 2, 3, 4]))),
    breakage(DETECTIONS, "className", |r| set(r, "/className", json!(7))),
    breakage(DETECTIONS, "", |r| r.payload = r.payload.as_ref().map(|p| p.replace("\"stop\"", "\"\\ud800\""))),
    breakage(DETECTIONS, "lat", |r| set(r, "/location/lat", json!("33.6"))),
    breakage(DETECTIONS, "location", |r| set(r, "/location", json!([33.6, -117.9]))),
    breakage(DETECTIONS, "detectedAt", |r| set(r, "/detectedAt", json!(1_641_168_000_000_i64))),
    breakage(DETECTIONS, "updatedAt", |r| set(r, "/updatedAt", json!("2022-02-30T00:00:00Z"))),
    breakage(DETECTIONS, "", |r| r.payload = Some("null".to_owned())),
    breakage(DETECTIONS, "", |r| r.payload.as_mut().expect("a payload").push_str("{}")),
    breakage(DETECTIONS, "message-type", |r| r.set_header("message-type", None)),
    breakage(DETECTIONS, "message-type", |r| r.set_header("message-type", Some("citylens-track"))),
    breakage(DETECTIONS, "header", |r| r.headers.clear()),
];

const TRACK_BREAKAGES: &[Breakage] = &[
    breakage(TRACKS, "status", |r| set(r, "/status", json!("paused"))),
    breakage(TRACKS, "status", |r| set(r, "/status", json!({"started": null}))),
    breakage(TRACKS, "startedAt", |r| set(r, "/startedAt", json!(1_641_168_000_000_i64))),
    breakage(TRACKS, "distanceMeters", |r| r.edit(|body| body["distanceMeters"] = json!("12"))),
    breakage(TRACKS, "deviceId", |r| r.edit(|body| body["deviceId"] = json!(""))),
    breakage(TRACKS, "trackId", |r| remove(r, "trackId")),
    breakage(TRACKS, "endedAt", |r| r.edit(|body| body["endedAt"] = json!(""))),
    breakage(TRACKS, "", |r| {
        // All fields in their order, but not an object.
        let body = r.body();
        let fields = ["trackId", "status", "deviceId", "startedAt", "endedAt", "distanceMeters", "updatedAt"];
        r.payload = Some(fields.iter().map(|&field| body[field].clone()).collect::<Value>().to_string());
    }),
];

/// The partition that nothing breaks in, of each topic.
pub(crate) const SOUND: u32 = 23;

/// Each breakage in a partition of its own, between healthy records: all records, and the broken ones.
pub(crate) fn all() -> (Scene, Vec<Broken>) {
    let mut scene = Scene::default();
    for n in 0..=SOUND {
        scene.send(TRACKS, SOUND, &track(&home(n), 0));
    }
    let mut broken = Vec::new();
    let mut next: BTreeMap<&str, u32> = BTreeMap::new();
    for breakage in [FRAME_BREAKAGES, DETECTION_BREAKAGES, TRACK_BREAKAGES].into_iter().flatten() {
        let partition = next.entry(breakage.topic).or_default();
        assert!(*partition < SOUND, "a partition for each");
        scene.send(breakage.topic, *partition, &healthy(breakage.topic, *partition, "before"));
        let record = scene.send(breakage.topic, *partition, &healthy(breakage.topic, *partition, "broken"));
        (breakage.apply)(record);
        broken.push(Broken { record: record.clone(), names: breakage.names });
        for behind in ["behind", "further behind"] {
            scene.send(breakage.topic, *partition, &healthy(breakage.topic, *partition, behind));
        }
        *partition += 1;
    }
    (scene, broken)
}

/// The track of a partition's frames and detections.
pub(crate) fn home(partition: u32) -> String {
    format!("t-home-{partition}")
}

fn healthy(topic: &str, partition: u32, name: &str) -> Value {
    let id = format!("{name} {partition}");
    match topic {
        TRACKS => track(&id, 5),
        FRAMES => frame(&id, &home(partition), 5),
        _ => detection(&id, "f", &home(partition), 5),
    }
}
