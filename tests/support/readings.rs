//! Records of sensors and cameras with all that a stream may hold: late, repeated, out of order, several at one instant.

use serde_json::{Value, json};

use super::record::{CAMERAS, MOVEMENTS, Record};
use super::scene::{MIDNIGHT_MS, Scene, at};
use super::varied::Dice;

/// How far out of order events are, ms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Disorder(pub(crate) u64);

/// A number below 2^63 as one with a sign.
fn signed(number: u64) -> i64 {
    i64::try_from(number).expect("small")
}

/// A `movement`.
pub(crate) fn movement(sensor: i64, traveler: &str, kind: &str, (x, y): (f64, f64), ms: i64) -> Value {
    json!({
        "traveler_id": traveler, "traveler_type": kind, "sensor_id": sensor, "position": [x, y], "timestamp": at(ms),
    })
}

/// So many readings of few travellers at few sensors, who come and go and change their types.
pub(crate) fn movements(count: u64, seed: u64, disorder: Disorder) -> Vec<Record> {
    let (mut dice, mut scene) = (Dice(seed), Scene::default());
    let mut bodies: Vec<(u32, i64, Value)> = Vec::new();
    for n in 0..count {
        let sensor = dice.roll(5);
        let partition = u32::try_from(sensor).expect("small") * 5 % 12;
        let traveler = ["ann", "bob \"b\"", "çé"][usize::try_from(dice.roll(3)).expect("small")];
        let kind = ["car", "car", "car", "car", "bike"][usize::try_from(dice.roll(5)).expect("small")];
        let place = (dice.roll(100_000) as f64 / 100.0, -(dice.roll(100_000) as f64) / 7.0);
        // Now and then all are gone for a while.
        let now = signed(n * 900 + n / 97 * 45_000);
        let ms = now - signed(dice.roll(disorder.0).min(n * 900));
        let body = match dice.roll(12) {
            0 if !bodies.is_empty() => {
                let back = usize::try_from(dice.roll(20.min(bodies.len() as u64))).expect("small");
                let mut again = bodies[bodies.len() - 1 - back].2.clone();
                if dice.roll(2) == 0 {
                    again["position"] = json!([place.0, place.1]);
                }
                let sensor = again["sensor_id"].as_u64().expect("a number") - 40;
                bodies.push((u32::try_from(sensor).expect("small") * 5 % 12, now, again));
                continue;
            }
            _ => movement(signed(sensor) + 40, traveler, kind, place, ms),
        };
        bodies.push((partition, now, body));
    }
    for (partition, now, body) in &bodies {
        scene.send(MOVEMENTS, *partition, body).ts = MIDNIGHT_MS + now;
    }
    drifted(scene.records)
}

/// A `camera-detection`.
pub(crate) fn seen(location: i64, camera: i64, oid: i64, item: &str, ms: i64) -> Value {
    json!({
        "geographical_location_oid": location, "video_camera_oid": camera, "detection_oid": oid, "item_name": item,
        "timestamp_detected": MIDNIGHT_MS + ms,
    })
}

/// So many detections, a quarter of which repeat others, some with other content and in another partition.
pub(crate) fn detections(count: u64, seed: u64, disorder: Disorder) -> Vec<Record> {
    let (mut dice, mut scene) = (Dice(seed), Scene::default());
    for n in 0..count {
        let oid = if dice.roll(4) == 0 { n.saturating_sub(dice.roll(60)) } else { n };
        let (location, item) =
            (signed(oid % 5) - 1, ["car", "big car", "bïke"][usize::try_from(oid % 3).expect("small")]);
        let ms = signed(oid * 700 + 1_000_000 - oid * 7_919 % disorder.0);
        let mut body = seen(location, signed(oid % 9), signed(oid) - 100, item, ms);
        if dice.roll(20) == 0 {
            body["item_name"] = json!("something else");
        }
        let other = if dice.roll(10) == 0 { 1 } else { 0 };
        let record = scene.send(CAMERAS, u32::try_from((oid + other) % 12).expect("small"), &body);
        record.ts = MIDNIGHT_MS + signed(n * 700 + 1_000_000);
    }
    drifted(scene.records)
}

/// The clocks of partitions' producers are up to a minute apart, and run back now and then.
fn drifted(mut records: Vec<Record>) -> Vec<Record> {
    for record in &mut records {
        record.ts += i64::from(record.partition) * 5_000 - i64::from(record.offset % 7 == 3) * 25;
    }
    records
}
