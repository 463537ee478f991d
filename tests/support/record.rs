//! A record of a dump, as a test edits it.

use serde_json::{Value, json};

/// Citylens tracks.
pub(crate) const TRACKS: &str = "axion.sense.citylens.track.lifecycle";
/// Citylens frames.
pub(crate) const FRAMES: &str = "axion.sense.citylens.frame.lifecycle";
/// Citylens detections.
pub(crate) const DETECTIONS: &str = "axion.sense.citylens.detections";
/// Readings of sensors.
pub(crate) const MOVEMENTS: &str = "movements";
/// What cameras recognised.
pub(crate) const CAMERAS: &str = "camera-detections";
/// Tracks and frames that are sent on.
pub(crate) const METADATA: &str = "axion.sense.track.metadata";
/// Detections that are sent on.
pub(crate) const CLUSTERIZATION: &str = "clusterization_requests";
/// One event for each row written.
pub(crate) const AUDIT: &str = "axion.sense.audit.events";

/// One line of a dump.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) topic: String,
    pub(crate) partition: u32,
    pub(crate) offset: u64,
    pub(crate) ts: i64,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) key: Option<String>,
    pub(crate) payload: Option<String>,
}

impl Record {
    /// The record that a line holds; a line that is no envelope is a mistake of the test's.
    pub(crate) fn from_line(line: &str) -> Record {
        let envelope: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let text = |name: &str| envelope[name].as_str().map(str::to_owned);
        let headers: Vec<String> = envelope["headers"]
            .as_array()
            .map(|all| all.iter().map(|h| h.as_str().expect("a text").to_owned()).collect())
            .unwrap_or_default();
        Record {
            topic: text("topic").expect("a topic"),
            partition: envelope["partition"].as_u64().and_then(|p| u32::try_from(p).ok()).expect("a partition"),
            offset: envelope["offset"].as_u64().expect("an offset"),
            ts: envelope["ts"].as_i64().expect("a ts"),
            headers: headers.chunks_exact(2).map(|h| (h[0].clone(), h[1].clone())).collect(),
            key: text("key"),
            payload: text("payload"),
        }
    }

    /// The record as a line, without its newline; like kcat it leaves `headers` out when there are none.
    pub(crate) fn line(&self) -> String {
        let mut envelope = json!({
            "topic": self.topic, "partition": self.partition, "offset": self.offset,
            "tstype": "create", "ts": self.ts, "broker": 1,
            "key": self.key, "payload": self.payload,
        });
        if !self.headers.is_empty() {
            let flat: Vec<&String> = self.headers.iter().flat_map(|(name, value)| [name, value]).collect();
            envelope["headers"] = json!(flat);
        }
        envelope.to_string()
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Sets, or with `None` removes, a header.
    pub(crate) fn set_header(&mut self, name: &str, value: Option<&str>) {
        self.headers.retain(|(n, _)| n != name);
        self.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    }

    /// The payload as JSON.
    pub(crate) fn body(&self) -> Value {
        serde_json::from_str(self.payload.as_deref().expect("a payload")).expect("JSON")
    }

    /// Changes the payload's JSON.
    pub(crate) fn edit(&mut self, change: impl FnOnce(&mut Value)) {
        let mut body = self.body();
        change(&mut body);
        self.payload = Some(body.to_string());
    }
}
