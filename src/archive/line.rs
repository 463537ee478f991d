//! A message as a line of a dump, whatever its bytes.

use std::fmt::Write;

use hexflow_dataflows::headers;

use crate::dump::write::{Outgoing, write_line};

/// A message as it came.
#[derive(Clone, Debug)]
pub struct Raw<'a> {
    /// The topic's name, without a prefix.
    pub topic: &'a str,
    /// Partition number.
    pub partition: u32,
    /// Offset in the partition.
    pub offset: u64,
    /// Its time, ms since the epoch.
    pub ts: i64,
    /// Names and values.
    pub headers: Vec<(&'a str, Option<&'a [u8]>)>,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value.
    pub payload: Option<&'a [u8]>,
}

/// Appends it as a line that kcat would write.
///
/// A dump holds text. What is none becomes null, and its bytes follow in hexadecimal digits, as `key_hex`, `payload_hex`, or
/// `headers_hex` with all headers' values. Where a header that is read is no text, the payload becomes null too: so a
/// replay finds the record malformed that the run has found to be.
pub fn write(line: &mut Vec<u8>, raw: &Raw<'_>) {
    let text = |bytes: Option<&'_ [u8]>| bytes.is_none_or(|bytes| std::str::from_utf8(bytes).is_ok());
    let spoiled = raw.headers.iter().any(|(name, value)| headers::NAMES.contains(name) && !text(*value));
    let shown: Vec<_> = raw.headers.iter().map(|(name, value)| (*name, value.and_then(as_text))).collect();
    let (key, payload) = (raw.key.and_then(as_text), raw.payload.and_then(as_text).filter(|_| !spoiled));
    let Raw { topic, partition, offset, ts, .. } = *raw;
    write_line(line, &Outgoing { topic, partition, offset, ts, headers: &shown, key, payload });
    let mut more = String::new();
    for (name, bytes, is_shown) in [("key", raw.key, key.is_some()), ("payload", raw.payload, payload.is_some())] {
        if let Some(bytes) = bytes.filter(|_| !is_shown) {
            let _ = write!(more, ",\"{name}_hex\":\"{}\"", hex(bytes)); // into memory
        }
    }
    if raw.headers.iter().any(|(_, value)| !text(*value)) {
        let values =
            raw.headers.iter().map(|(_, value)| value.map_or("null".into(), |value| format!("\"{}\"", hex(value))));
        let _ = write!(more, ",\"headers_hex\":[{}]", values.collect::<Vec<_>>().join(","));
    }
    if !more.is_empty() {
        line.truncate(line.len() - "}\n".len());
        line.extend_from_slice(more.as_bytes());
        line.extend_from_slice(b"}\n");
    }
}

fn as_text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // into memory
        text
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn written(raw: &Raw<'_>) -> Value {
        let mut line = Vec::new();
        write(&mut line, raw);
        assert!(line.ends_with(b"}\n"));
        serde_json::from_slice(&line).unwrap()
    }

    fn raw<'a>(env: &'a [u8], key: &'a [u8], payload: &'a [u8]) -> Raw<'a> {
        let headers = vec![("env", Some(env)), ("none", None)];
        Raw { topic: "movements", partition: 3, offset: 7, ts: 5, headers, key: Some(key), payload: Some(payload) }
    }

    #[test]
    fn text_is_what_kcat_writes() {
        let expected = json!({
            "topic": "movements", "partition": 3, "offset": 7, "tstype": "create", "ts": 5, "broker": 1,
            "headers": ["env", "prod", "none", null], "key": "k", "payload": "{}",
        });
        assert_eq!(written(&raw(b"prod", b"k", b"{}")), expected);
        let bare = Raw { headers: vec![], key: None, payload: None, ..raw(b"", b"", b"") };
        let line = written(&bare);
        assert_eq!((line.get("headers"), &line["key"], &line["payload"]), (None, &Value::Null, &Value::Null));
    }

    #[test]
    fn no_byte_is_lost() {
        let line = written(&raw(b"prod", b"\xfe\0", b"\0\xff"));
        assert_eq!((&line["key"], &line["key_hex"]), (&Value::Null, &json!("fe00")));
        assert_eq!((&line["payload"], &line["payload_hex"]), (&Value::Null, &json!("00ff")));
        assert_eq!((&line["headers"][1], line.get("headers_hex")), (&json!("prod"), None));
        let line = written(&raw(b"\xff", b"k", b"{}"));
        assert_eq!(line["headers_hex"], json!(["ff", null]));
        assert_eq!((&line["payload"], &line["payload_hex"]), (&Value::Null, &json!("7b7d")));
        let other = Raw { headers: vec![("bin", Some(b"\xff"))], ..raw(b"", b"k", b"{}") };
        let line = written(&other);
        assert_eq!((&line["headers_hex"], &line["payload"]), (&json!(["ff"]), &json!("{}")));
    }
}
