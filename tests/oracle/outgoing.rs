//! The messages that must have been sent on: for each upsert one of its kind and one to the audit.

use serde_json::{Map, Value, json};

use super::Oracle;
use super::expected::{Ids, cell_of};
use super::message::Item;
use crate::support::emitted::line;
use crate::support::record::{AUDIT, CLUSTERIZATION, METADATA, Record};

impl Oracle {
    /// One line a message, sorted.
    pub(crate) fn outgoing(&self, ids: &Ids) -> Vec<String> {
        let mut lines: Vec<String> =
            self.upserts.iter().flat_map(|item| [line(&sent_on(item, ids)), line(&audited(item, ids))]).collect();
        lines.sort();
        lines
    }
}

fn sent_on(item: &Item, ids: &Ids) -> Record {
    let pick = |from: &Value, names: &[&str]| -> Map<String, Value> {
        names.iter().map(|&name| (name.to_owned(), from[name].clone())).collect()
    };
    let mut body = pick(&item.body, fields(item.entity));
    body.insert("trackId".to_owned(), json!(ids[&item.track]));
    if item.entity == "frame" {
        let location = pick(&item.body["location"], &["lat", "lon", "altitude", "accuracy"]);
        body.insert("location".to_owned(), Value::Object(location));
    }
    if item.entity != "detection" {
        return message(METADATA, &ids[&item.track], item.entity, item, Value::Object(body));
    }
    let cell = cell_of(item);
    body.extend(pick(&item.body["location"], &["lat", "lon"]));
    body.insert("bbox".to_owned(), Value::Object(pick(&item.body["bbox"], &["x", "y", "width", "height"])));
    body.insert("cell".to_owned(), json!(cell));
    body.insert("source".to_owned(), json!("citylens"));
    message(CLUSTERIZATION, &cell, "clusterization-request", item, Value::Object(body))
}

/// The fields that are sent on as they came.
fn fields(entity: &str) -> &'static [&'static str] {
    match entity {
        "track" => &["status", "startedAt", "endedAt", "distanceMeters", "deviceId", "updatedAt"],
        "frame" => &["frameId", "sequence", "capturedAt", "heading", "speed", "imageUrl", "updatedAt"],
        _ => &["detectionId", "frameId", "detector", "className", "confidence", "detectedAt", "updatedAt"],
    }
}

fn audited(item: &Item, ids: &Ids) -> Record {
    let body = json!({
        "requestId": item.request_id, "orgId": item.org_id, "entity": item.entity, "entityId": item.entity_id(ids),
        "action": "upsert", "source": "citylens", "at": item.body["updatedAt"],
    });
    message(AUDIT, &item.request_id, "audit-event", item, body)
}

fn message(topic: &str, key: &str, kind: &str, item: &Item, body: Value) -> Record {
    let mut record = Record {
        topic: topic.to_owned(),
        partition: 0,
        offset: 0,
        ts: 0,
        headers: Vec::new(),
        key: Some(key.to_owned()),
        payload: Some(body.to_string()),
    };
    record.set_header("message-type", Some(kind));
    record.set_header("request-id", Some(&item.request_id));
    record.set_header("org-id", item.org_id.as_deref());
    record.set_header("env", Some("prod"));
    record
}
