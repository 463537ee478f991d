//! Lines that are written otherwise than most: read by the library, at its pace.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::cursor::Value;
use super::message::{Message, Record, Topic};

/// What a field holds.
pub(super) enum Field {
    /// A string, without its quotes, as JSON writes it.
    Text(String),
    Number(serde_json::Number),
    Object(Vec<(String, Field)>),
    /// A list as it came.
    List(String),
    Null,
    Bool,
}

impl Field {
    fn read(raw: &RawValue) -> Result<Field> {
        Ok(match raw.get().as_bytes().first() {
            Some(b'{') => {
                let fields: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get())?;
                let fields = fields.into_iter().map(|(name, raw)| Ok((name, Field::read(raw)?)));
                Field::Object(fields.collect::<Result<_>>()?)
            }
            Some(b'[') => Field::List(raw.get().to_owned()),
            _ => match serde_json::from_str(raw.get())? {
                Json::String(text) => Field::Text(escaped(&text)?),
                Json::Number(number) => Field::Number(number),
                Json::Null => Field::Null,
                _ => Field::Bool,
            },
        })
    }

    /// A field of an object.
    pub(super) fn get(&self, name: &str) -> Option<&Field> {
        let Field::Object(fields) = self else { return None };
        fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }
}

/// A text as JSON writes it, without the quotes.
fn escaped(text: &str) -> Result<String> {
    let quoted = serde_json::to_string(text)?;
    Ok(quoted[1..quoted.len() - 1].to_owned())
}

/// The text that JSON writes so.
pub(super) fn unescaped(escaped: &[u8]) -> Result<String> {
    Ok(serde_json::from_str(&format!("\"{}\"", std::str::from_utf8(escaped)?))?)
}

#[derive(Deserialize)]
struct Envelope {
    topic: String,
    ts: u64,
    #[serde(default)]
    headers: Vec<Option<String>>,
    payload: Option<String>,
}

/// A line that the library read.
pub(super) struct Unusual {
    pub(super) ts: u64,
    topic: Topic,
    request_id: String,
    org_id: Option<String>,
    payload: String,
    body: Option<Field>,
}

impl Unusual {
    /// Reads a line of a topic's dump.
    pub(super) fn read(line: &[u8], topic: Topic) -> Result<Self> {
        let envelope: Envelope = serde_json::from_slice(line)?;
        ensure!(envelope.topic == topic.name(), "a record of another topic");
        let header = |wanted: &str| {
            let pairs = envelope.headers.chunks_exact(2);
            pairs.rev().find(|pair| pair[0].as_deref() == Some(wanted)).and_then(|pair| pair[1].as_deref())
        };
        let mut unusual = Unusual {
            ts: envelope.ts,
            topic,
            request_id: String::new(),
            org_id: header("org-id").map(escaped).transpose()?,
            payload: String::new(),
            body: None,
        };
        if header("env") == Some("prod") {
            ensure!(header("message-type") == Some(topic.message_type()), "a message of another type");
            unusual.request_id = escaped(header("request-id").context("no request")?)?;
            let payload = envelope.payload.as_deref().context("no payload")?;
            unusual.payload = escaped(payload)?;
            unusual.body = Some(Field::read(serde_json::from_str(payload)?)?);
        }
        Ok(unusual)
    }

    /// Its record, if that is of the wanted environment.
    pub(super) fn record(&self) -> Result<Option<Record<'_>>> {
        let Some(body) = &self.body else { return Ok(None) };
        let message = match self.topic {
            Topic::Tracks => Value::of(body).map(Message::Track),
            Topic::Frames => Value::of(body).map(Message::Frame),
            Topic::Detections => Value::of(body).map(Message::Detection),
        };
        let message = message.context("a field is missing, or of another type")?;
        let org_id = self.org_id.as_deref().map(str::as_bytes);
        Ok(Some(Record { request_id: self.request_id.as_bytes(), org_id, payload: self.payload.as_bytes(), message }))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::limit;

    /// What the limit makes of a track, and of detections written so.
    fn tables(detections: &str) -> Result<[String; 4]> {
        let (dumps, out) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let time = "2026-01-01T00:00:00Z";
        let track = format!(r#"{{"trackId":"t","status":"started","startedAt":"{time}","updatedAt":"{time}"}}"#);
        for (topic, lines) in
            [(Topic::Tracks, line(Topic::Tracks, 1, &track)), (Topic::Detections, detections.to_owned())]
        {
            fs::write(dumps.path().join(format!("{}.ndjson", topic.name())), lines)?;
        }
        limit::run(dumps.path(), out.path())?;
        let read = |table: &str| fs::read_to_string(out.path().join(table).with_extension("ndjson"));
        Ok([read("tracks")?, read("frames")?, read("detections")?, read("audit_log")?])
    }

    fn line(topic: Topic, ts: u64, payload: &str) -> String {
        let (name, kind) = (topic.name(), topic.message_type());
        let headers = format!(r#"["message-type","{kind}","request-id","r","org-id","o","env","prod"]"#);
        let begins =
            format!(r#"{{"topic":"{name}","partition":1,"offset":{ts},"tstype":"create","ts":{ts},"broker":1"#);
        let payload = serde_json::to_string(payload).unwrap();
        format!("{begins},\"headers\":{headers},\"key\":\"t\",\"payload\":{payload}}}\n")
    }

    const USUAL: &str = r#"{"detectionId":"d","frameId":"f","trackId":"t","detector":"x-v1","className":"sign","confidence":0.5,"bbox":{"x":1.0,"y":2.5,"width":3.0,"height":4.0},"location":{"lat":38.7188956,"lon":-9.1515906},"detectedAt":"2026-01-01T00:00:01.018Z","updatedAt":"2026-01-01T00:00:01.018Z"}"#;

    #[test]
    fn what_is_written_otherwise_is_the_same() {
        let usual = line(Topic::Detections, 2, USUAL);
        let expected = tables(&usual).unwrap();
        assert!(expected[2].contains(r#""h3":"823937fffffffff","detected_at":1767225601018,"#), "{}", expected[2]);
        let payload = |from: &str, to: &str| line(Topic::Detections, 2, &USUAL.replacen(from, to, 1));
        let last_first = USUAL.replace(r#","updatedAt":"2026-01-01T00:00:01.018Z""#, "");
        let others = [
            payload("{", "{ "),
            payload("1.0", "1"),
            payload("0.5", "5e-1"),
            payload("sign", "\\u0073ign"),
            payload(r#""bbox""#, r#""what":[1,{"is":null}],"bbox""#),
            payload("01.018Z", "01.018000Z"),
            payload("00:00:01.018Z", "01:00:01.018+01:00"),
            line(Topic::Detections, 2, &last_first.replacen('{', r#"{"updatedAt":"2026-01-01T00:00:01.018Z","#, 1)),
            usual.replace(r#""env","prod""#, r#""what",null,"env","prod""#),
            usual.replace(r#""org-id","o","env","prod""#, r#""env","prod","org-id","o""#),
            usual.replace(r#""broker":1,"#, ""),
            usual.trim_end().to_owned(),
        ];
        for other in others {
            assert_eq!(tables(&other).unwrap(), expected, "{other}");
        }
        let dev = usual.replace("prod", "dev");
        assert_eq!(tables(&[dev, usual.clone(), usual.replace(":2,", ":3,")].concat()).unwrap(), expected);
    }

    #[test]
    fn texts_keep_their_escapes_and_alphabets() {
        for text in ["\"q\" \\ \n", "знак", "\u{7f}\u{1}"] {
            let quoted = serde_json::to_string(text).unwrap();
            let tables = tables(&line(Topic::Detections, 2, &USUAL.replace("\"sign\"", &quoted))).unwrap();
            assert!(tables[2].contains(&format!("\"class_name\":{quoted},")), "{}", tables[2]);
        }
    }

    #[test]
    fn what_is_malformed_stops_it() {
        let usual = line(Topic::Detections, 2, USUAL);
        let without = |field: &str| line(Topic::Detections, 2, &USUAL.replace(field, "other"));
        let twice_ended = usual.replace("}\"}\n", ",}\"}\n");
        for wrong in [
            without("detectedAt"),
            without("lat"),
            twice_ended,
            usual.replace("38.7188956", "north"),
            usual.replace("\"r\"", "null"),
        ] {
            assert!(tables(&wrong).is_err(), "{wrong}");
        }
    }
}
