//! A scene with everything in it that a valid stream may hold, which real days show too seldom: repeats, stale and
//! equal versions, nanoseconds, other environments, missing tenants, odd ids, the ends of the earth.

use serde_json::{Value, json};

use super::record::{DETECTIONS, FRAMES, Record, TRACKS};
use super::scene::{Scene, at, detection, frame, track};

/// Odd ids that must pass through everything unharmed.
const NAMES: [&str; 6] = ["plain", "with space", "quote\"d", "ünï-çødé-✓", "back\\slash", "tab\there"];

/// Places where the earth has an edge.
const PLACES: [(f64, f64); 7] =
    [(33.6, -117.9), (90.0, 0.0), (-90.0, 180.0), (0.0, -180.0), (0.0, 0.0), (51.4779, -0.0015), (-16.5, 179.9999)];

/// Numbers that look random and are the same in each run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// About `steps` records; the same for the same seed.
pub(crate) fn varied(steps: u32, seed: u64) -> Vec<Record> {
    let mut dice = Dice(seed);
    let mut scene = Scene::default();
    let tracks: Vec<String> = (0..30).map(|n| format!("{} {n}", NAMES[n % NAMES.len()])).collect();
    for (n, id) in (0u32..).zip(&tracks) {
        scene.send(TRACKS, n % 24, &track(id, 0));
    }
    for step in 0..steps {
        let n = dice.roll(30);
        let (track_id, partition) =
            (&tracks[usize::try_from(n).expect("small")], u32::try_from(n % 24).expect("small"));
        let updated = i64::from(step) * 1_000;
        let (topic, body) = match dice.roll(8) {
            0 => (TRACKS, any_track(&mut dice, track_id, updated)),
            1..=3 => (FRAMES, any_frame(&mut dice, track_id, step, updated)),
            _ => (DETECTIONS, any_detection(&mut dice, track_id, step, updated)),
        };
        scene.send(topic, partition, &body);
        follow_up(&mut dice, &mut scene, topic, partition, &body);
    }
    scene.records
}

fn any_track(dice: &mut Dice, id: &str, updated: i64) -> Value {
    let mut body = track(id, updated);
    match dice.roll(3) {
        0 => body["status"] = json!("started"),
        1 => {
            body["status"] = json!("finished");
            body["endedAt"] = json!(at(updated));
            body["distanceMeters"] = json!(1200);
        }
        _ => body["deviceId"] = Value::Null,
    }
    body
}

fn any_frame(dice: &mut Dice, track_id: &str, step: u32, updated: i64) -> Value {
    // Few enough frames of a track that one is often written again.
    let mut body = frame(&format!("f {track_id} {}", step % 40), track_id, updated);
    let (lat, lon) = PLACES[usize::try_from(dice.roll(7)).expect("small")];
    body["location"] = json!({"lat": lat, "lon": lon, "altitude": -3.5, "accuracy": null});
    body["sequence"] = json!([0, step, u32::MAX][usize::try_from(dice.roll(3)).expect("small")]);
    match dice.roll(5) {
        0 => body["gps"] = json!([]),
        1 => body["gps"] = Value::Null,
        2 => {
            body["gps"] =
                (0..30).map(|n| json!({"at": at(updated + n), "lat": lat, "lon": lon, "speed": 0.1})).collect();
        }
        3 => {
            body["imageUrl"] = json!("s3://bucket/a%20b/\u{e9}.jpg");
            body["unknownField"] = json!({"deep": [1, null, "x"]});
            body.as_object_mut().expect("an object").remove("heading");
        }
        _ => {}
    }
    body
}

fn any_detection(dice: &mut Dice, track_id: &str, step: u32, updated: i64) -> Value {
    let mut body = detection(&format!("d {track_id} {}", step % 60), &format!("f {track_id} 0"), track_id, updated);
    let (lat, lon) = PLACES[usize::try_from(dice.roll(7)).expect("small")];
    body["location"] = json!({"lat": lat, "lon": lon});
    body["confidence"] =
        [json!(0), json!(1), json!(0.1), json!(1e-9)][usize::try_from(dice.roll(4)).expect("small")].clone();
    // The same instant in another zone, and between two milliseconds.
    match dice.roll(4) {
        0 => body["detectedAt"] = json!("2022-01-03T02:00:00.5+02:00"),
        1 => body["updatedAt"] = json!(at(updated).replace('Z', ".000000001Z")),
        _ => {}
    }
    body
}

/// Sometimes sends the same again, or nearly the same.
fn follow_up(dice: &mut Dice, scene: &mut Scene, topic: &'static str, partition: u32, body: &Value) {
    let mut again = body.clone();
    match dice.roll(20) {
        0 => {
            scene.send(topic, partition, body);
        }
        1 => scene.send(topic, partition, body).set_header("org-id", Some("org-2")),
        2 => scene.send(topic, partition, body).set_header("org-id", None),
        3 => {
            again["updatedAt"] = json!("2021-12-31T23:59:59.999999999Z");
            scene.send(topic, partition, &again);
        }
        4 => other_content(topic, &mut again, dice, scene, partition),
        5 => finer_versions(topic, &again, scene, partition),
        6 => {
            let staging = scene.send(topic, partition, body);
            staging.set_header("env", Some("staging"));
            staging.payload = Some("{\"broken".to_owned());
        }
        7 => {
            // From a clock that runs ahead: what follows is stale.
            again["updatedAt"] = json!("2022-02-01T00:00:00Z");
            scene.send(topic, partition, &again);
        }
        _ => {}
    }
}

/// The same version with other content, twice: the later offset wins each time.
fn other_content(topic: &'static str, body: &mut Value, dice: &mut Dice, scene: &mut Scene, partition: u32) {
    for _ in 0..2 {
        match topic {
            TRACKS => body["distanceMeters"] = json!(dice.roll(1_000)),
            FRAMES if dice.roll(2) == 0 => body["gps"] = json!([{"at": at(7), "lat": 1, "lon": dice.roll(100)}]),
            FRAMES => body["sequence"] = json!(dice.roll(1_000)),
            _ => body["bbox"]["width"] = json!(dice.roll(1_000)),
        }
        scene.send(topic, partition, body);
    }
}

/// Versions that differ by nanoseconds only, the newest in the middle.
fn finer_versions(topic: &'static str, body: &Value, scene: &mut Scene, partition: u32) {
    for decimals in ["000000007", "000000009", "000000008"] {
        let mut body = body.clone();
        body["updatedAt"] = json!(format!("2022-01-20T00:00:00.{decimals}Z"));
        scene.send(topic, partition, &body);
    }
}
