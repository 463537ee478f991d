//! The tables of sensors, cameras and alerts, as a store holds them, and how they are compared.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::clickhouse::Database;
use super::place::Place;

/// Of each table the name, the columns of its primary key, and the others.
const TABLES: [(&str, &[&str], &[&str]); 5] = [
    (
        "sensor_travelers",
        &["sensor_id", "traveler_id", "entered_at"],
        &["traveler_type", "left_at", "min_speed", "max_speed", "avg_speed", "samples"],
    ),
    (
        "sensor_windows",
        &["sensor_id", "traveler_type", "window_end"],
        &["window_ms", "min_speed", "max_speed", "avg_speed", "samples", "travelers"],
    ),
    (
        "camera_detections",
        &["detection_oid"],
        &["geographical_location_oid", "geographical_location", "video_camera_oid", "item_name", "detected_at"],
    ),
    ("camera_windows", &["geographical_location_oid", "item_name", "window_start"], &["window_ms", "detections"]),
    (
        "alerts",
        &["rule", "key", "fired_at"],
        &["figure", "state", "threshold", "value", "resolved_at", "resolved_value"],
    ),
];

/// The rows of a table by their primary keys, as JSON writes these.
pub(crate) type Rows = BTreeMap<String, Vec<Value>>;

/// The tables of a place's SQLite.
pub(crate) fn stored(place: &Place) -> BTreeMap<&'static str, Rows> {
    let store = place.store();
    let table = |(name, keys, others): &(&'static str, &[&str], &[&str])| {
        let columns = [*keys, *others].concat().join(", ");
        let rows = store.rows(&format!("SELECT {columns} FROM {name}"));
        (
            *name,
            rows.into_iter().map(|row| (json!(row[..keys.len()]).to_string(), row[keys.len()..].to_vec())).collect(),
        )
    };
    TABLES.iter().map(table).collect()
}

/// The tables of a database in ClickHouse, as a reader has them who knows nothing of how they are written.
pub(crate) fn stored_in(database: &Database) -> BTreeMap<&'static str, Rows> {
    let table = |(name, keys, others): &(&'static str, &[&str], &[&str])| {
        let columns = [*keys, *others].concat();
        let told = columns.iter().map(|column| match *column {
            "entered_at" | "left_at" | "window_end" | "window_start" | "detected_at" | "fired_at" | "resolved_at" => {
                format!("toUnixTimestamp64Milli(t.{column}) AS {column}")
            }
            _ => format!("t.{column} AS {column}"),
        });
        let mut rows = Rows::new();
        for row in database.sql(&format!("SELECT {} FROM {name} AS t", told.collect::<Vec<_>>().join(", "))) {
            let of = |columns: &[&str]| columns.iter().map(|column| row[*column].clone()).collect::<Vec<_>>();
            let twice = rows.insert(json!(of(keys)).to_string(), of(others));
            assert!(twice.is_none(), "two rows of one key in {name}: {row}");
        }
        (*name, rows)
    };
    TABLES.iter().map(table).collect()
}

/// The same as [`everything`] of a database in ClickHouse, but for when rows were written.
pub(crate) fn everything_in(database: &Database) -> String {
    let kept = ["sensor_readings", "alert_states", "alert_notices", "watermarks", "pending_changes"];
    let tables = TABLES.iter().map(|table| table.0).chain(kept);
    let rows = |table: &str| {
        let told = match table {
            "camera_detections" => "EXCEPT (written_at)",
            "pending_changes" => "REPLACE (hex(changes) AS changes)",
            _ => "",
        };
        format!("{table}: {:?}\n", database.sql(&format!("SELECT * {told} FROM {table} ORDER BY ALL")))
    };
    tables.map(rows).collect()
}

/// All that is stored of sensors and cameras, as text: equal only if nothing at all changed.
pub(crate) fn everything(place: &Place) -> String {
    let store = place.store();
    let tables =
        TABLES.iter().map(|table| table.0).chain(["sensor_readings", "alert_states", "alert_notices", "watermarks"]);
    let rows = |table: &str| format!("{table}: {:?}\n", store.rows(&format!("SELECT * FROM {table} ORDER BY 1, 2, 3")));
    tables.map(rows).collect()
}

/// The rows that `ndjson:FOLDER` wrote of a table: the last line of a key is its row, or says that it is gone.
pub(crate) fn read_lines(folder: &Path, table: &str) -> Rows {
    let (name, keys, others) = TABLES.iter().find(|(name, ..)| *name == table).expect("a table");
    let mut rows = Rows::new();
    for line in fs::read_to_string(folder.join(format!("{name}.ndjson"))).expect("a file").lines() {
        let row: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let of = |columns: &[&str]| columns.iter().map(|column| row[*column].clone()).collect::<Vec<_>>();
        let key = json!(of(keys)).to_string();
        if row["deleted"] == true {
            assert!(rows.remove(&key).is_some(), "{line} deletes what is not there");
        } else {
            rows.insert(key, of(others));
        }
    }
    rows
}

/// Asserts that a table holds what is expected; numbers may differ in their last bits, since a sum has an order.
#[track_caller]
pub(crate) fn assert_table(name: &str, actual: &Rows, expected: &Rows) {
    let missing: Vec<_> = expected.keys().filter(|key| !actual.contains_key(*key)).take(5).collect();
    let extra: Vec<_> = actual.keys().filter(|key| !expected.contains_key(*key)).take(5).collect();
    assert!(missing.is_empty() && extra.is_empty(), "{name}: missing {missing:?}, not expected {extra:?}");
    for (key, row) in expected {
        let same = row.len() == actual[key].len() && row.iter().zip(&actual[key]).all(|(a, b)| is_close(a, b));
        assert!(same, "{name} {key}: expected {row:?}, there is {:?}", actual[key]);
    }
}

/// Asserts that rows are as expected, in their order; numbers may differ in their last bits.
#[track_caller]
pub(crate) fn assert_rows(what: &str, actual: &[Vec<Value>], expected: &[Vec<Value>]) {
    assert_eq!(actual.len(), expected.len(), "rows of {what}");
    for (row, expected) in actual.iter().zip(expected) {
        let same = row.len() == expected.len() && row.iter().zip(expected).all(|(a, b)| is_close(a, b));
        assert!(same, "{what}: expected {expected:?}, there is {row:?}");
    }
}

/// Whether two values are the same but for the last bits of the numbers in them.
pub(crate) fn is_close(a: &Value, b: &Value) -> bool {
    if let (Value::Array(a), Value::Array(b)) = (a, b) {
        return a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_close(a, b));
    }
    if let (Value::Object(a), Value::Object(b)) = (a, b) {
        return a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| is_close(a, b)));
    }
    match (a.as_f64(), b.as_f64()) {
        (Some(x), Some(y)) if a.is_f64() || b.is_f64() => (x - y).abs() <= 1e-9 * x.abs().max(1.0),
        _ => a == b,
    }
}
