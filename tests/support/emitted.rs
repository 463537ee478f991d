//! Outgoing dumps, read back and brought to one form, so that two can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::dump;
use super::record::{AUDIT, CLUSTERIZATION, METADATA, Record};

/// The records of `FOLDER/TOPIC.ndjson`; none when there is no such file.
pub(crate) fn read(folder: &Path, topic: &str) -> Vec<Record> {
    let path = folder.join(format!("{topic}.ndjson"));
    if path.exists() { dump::read(&path) } else { Vec::new() }
}

/// The same of a run that was killed: a torn last line is nobody's record.
pub(crate) fn read_torn(folder: &Path, topic: &str) -> Vec<Record> {
    let text = fs::read_to_string(folder.join(format!("{topic}.ndjson"))).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(Record::from_line).collect()
}

/// All three outgoing topics of a folder.
pub(crate) fn read_all(folder: &Path) -> Vec<Record> {
    [METADATA, CLUSTERIZATION, AUDIT].iter().flat_map(|topic| read(folder, topic)).collect()
}

/// One line that holds what a message means: its topic, key, headers and body, without offset, time and object key.
pub(crate) fn line(record: &Record) -> String {
    let mut body = record.body();
    body.as_object_mut().expect("an object").remove("detailedGps");
    let headers: BTreeMap<&str, &str> = record.headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    json!([record.topic, record.key, headers, plain(&body)]).to_string()
}

/// The value with its numbers as floats, its times as numbers and no nulls: equal when it means the same.
///
/// Tables keep milliseconds, so that no more of a time is compared, but for `updatedAt`, which tells versions apart.
pub(crate) fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => {
            let plain_field = |(name, value): (&String, &Value)| {
                let time = value.as_str().filter(|_| name.ends_with("At") || name == "at");
                let time = time.and_then(|text| text.parse::<Timestamp>().ok()).map(Timestamp::as_nanosecond);
                let value = match time {
                    Some(ns) if name == "updatedAt" => json!(ns.to_string()),
                    Some(ns) => json!(ns.div_euclid(1_000_000).to_string()),
                    None => plain(value),
                };
                (name.clone(), value)
            };
            Value::Object(fields.iter().filter(|(_, v)| !v.is_null()).map(plain_field).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// Asserts what holds of any outgoing topic: offsets count from 0 without a gap, partitions are within the topic's
/// number, and one key stays in one partition.
#[track_caller]
pub(crate) fn assert_well_formed(records: &[Record], partitions: u32) {
    let mut next: BTreeMap<u32, u64> = BTreeMap::new();
    let mut partition_of: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for record in records {
        let expected = next.entry(record.partition).or_default();
        assert_eq!(record.offset, *expected, "offsets count from 0 without a gap: {record:?}");
        *expected += 1;
        assert!(record.partition < partitions, "of {partitions} partitions: {record:?}");
        partition_of.entry(record.key.as_deref().expect("a key")).or_default().insert(record.partition);
    }
    for (key, partitions) in partition_of {
        assert_eq!(partitions.len(), 1, "one partition for {key}: {partitions:?}");
    }
}
