//! The rows that a program leaves as lines of JSON, whatever their order and however it writes numbers.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Pipeline;
use crate::peers::canonical::hash;
use crate::tables::{Sum, files_of, for_each_line};

/// A table and its primary key.
type Table = (&'static str, &'static [&'static str]);

const SENSORS: [Table; 2] = [
    ("sensor_travelers", &["sensor_id", "traveler_id", "entered_at"]),
    ("sensor_windows", &["sensor_id", "traveler_type", "window_end"]),
];
const CAMERAS: [Table; 2] = [
    ("camera_detections", &["detection_oid"]),
    ("camera_windows", &["geographical_location_oid", "item_name", "window_start"]),
];

/// The rows of a pipeline's two tables.
pub(crate) type Found = [Sum; 2];

/// What was written into `out`.
pub(crate) fn found(pipeline: Pipeline, out: &Path) -> Result<Found> {
    let [first, second] = match pipeline {
        Pipeline::Sensors => SENSORS,
        Pipeline::Cameras => CAMERAS,
    };
    Ok([table(first, out)?, table(second, out)?])
}

/// The last line of each key, unless it says that the row is gone: a row that changes has a line each time.
fn table((name, key): Table, out: &Path) -> Result<Sum> {
    let mut rows: HashMap<u64, u64> = HashMap::new();
    for file in files_of(out, name)? {
        for_each_line(&file, |line| {
            let mut row: Value =
                serde_json::from_slice(line).with_context(|| String::from_utf8_lossy(line).into_owned())?;
            // Where its record lay, which only hexflow needs to know.
            row.as_object_mut().context("a row is an object")?.retain(|column, _| !column.starts_with("source_"));
            let of = hash(&key.iter().map(|column| row[column].clone()).collect(), rounded);
            if row["deleted"] == true {
                rows.remove(&of)
            } else {
                rows.insert(of, hash(&row, rounded))
            };
            Ok(())
        })?;
    }
    let mut sum = Sum::default();
    rows.into_values().for_each(|hash| sum.add(hash));
    Ok(sum)
}

/// To six digits, if it is no whole number: engines add in other orders.
fn rounded(number: f64) -> f64 {
    if number.fract() == 0.0 { number } else { format!("{number:.5e}").parse().unwrap_or(f64::NAN) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn of(lines: &str) -> Sum {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("camera_detections.ndjson"), lines).unwrap();
        fs::write(folder.path().join("camera_windows.ndjson"), "").unwrap();
        found(Pipeline::Cameras, folder.path()).unwrap()[0]
    }

    #[test]
    fn the_last_line_of_a_key_counts() {
        let (old, new) = (r#"{"detection_oid":1,"x":0.25}"#, r#"{"x":0.50000001,"detection_oid":1}"#);
        let other = r#"{"detection_oid":2,"x":1}"#;
        let gone = r#"{"detection_oid":2,"deleted":true}"#;
        assert_eq!(of(&[old, other, new, gone].join("\n")), of(r#"{"detection_oid":1,"x":0.5}"#));
        assert_ne!(of(new), of(old));
        assert_eq!(of(&[other, gone].join("\n")), Sum::default());
    }
}
