//! Whether two programs found the same rows, however each writes JSON.

use std::path::Path;
use std::thread;

use anyhow::{Context, Result};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::tables::{Sum, files_of, for_each_line};

/// Rows of detections, and of their audit.
pub(crate) type Found = [Sum; 2];

/// What was written into `out`. Tracks' rows in the audit are left out: other engines are given the mapping.
pub(crate) fn found(out: &Path) -> Result<Found> {
    let table = |name, wanted: fn(&Value) -> bool| -> Result<Sum> {
        let mut sum = Sum::default();
        for file in files_of(out, name)? {
            for_each_line(&file, |line| {
                let row = serde_json::from_slice(line).with_context(|| String::from_utf8_lossy(line).into_owned())?;
                if wanted(&row) {
                    sum.add(hash(&row, exactly));
                }
                Ok(())
            })
            .with_context(|| format!("{}", file.display()))?;
        }
        Ok(sum)
    };
    thread::scope(|scope| {
        let audit = scope.spawn(|| table("audit_log", |row| row["entity"] == "detection"));
        let detections = table("detections", |_| true)?;
        let audit = audit.join().map_err(|_| anyhow::anyhow!("the audit's thread failed"))??;
        Ok([detections, audit])
    })
}

/// Doubles as they are.
fn exactly(number: f64) -> f64 {
    number
}

/// Equal for rows of equal values: the order of columns is free, numbers are equal as doubles, and null is as good as absent.
/// Doubles are compared after `round`.
pub(crate) fn hash(value: &Value, round: fn(f64) -> f64) -> u64 {
    match value {
        Value::Null => 1,
        Value::Bool(truth) => 2 + u64::from(*truth),
        // Adding 0 makes the two zeros one.
        Value::Number(number) => {
            xxh3_64_with_seed(&(round(number.as_f64().unwrap_or(f64::NAN)) + 0.0).to_le_bytes(), 4)
        }
        Value::String(text) => xxh3_64_with_seed(text.as_bytes(), 5),
        Value::Array(all) => all.iter().fold(6, |sum, one| xxh3_64_with_seed(&hash(one, round).to_le_bytes(), sum)),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            let hashes = fields.map(|(name, value)| xxh3_64_with_seed(name.as_bytes(), hash(value, round)));
            xxh3_64_with_seed(&hashes.fold(0, u64::wrapping_add).to_le_bytes(), 7)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> u64 {
        hash(&serde_json::from_str(text).unwrap(), exactly)
    }

    #[test]
    fn the_form_of_a_row_does_not_matter() {
        let row = of(r#"{"id":"ä","x":1.0,"y":0.1,"org":null}"#);
        assert_eq!(row, of(r#"{"y": 1e-1, "x": 1, "id": "\u00e4"}"#));
        assert_eq!(of(r#"{"x":0}"#), of(r#"{"x":-0.0}"#));
    }

    #[test]
    fn its_values_do() {
        let row = of(r#"{"id":"a","x":0.3,"y":2}"#);
        let others = [
            r#"{"id":"a","x":0.30000000000000004,"y":2}"#,
            r#"{"id":"a","x":2,"y":0.3}"#,
            r#"{"id":"a","x":"0.3","y":2}"#,
            r#"{"id":"a","x":0.3}"#,
            r#"{"ID":"a","x":0.3,"y":2}"#,
            r#"{"id":"a","x":0.3,"y":2,"z":0}"#,
        ];
        for other in others {
            assert_ne!(row, of(other), "{other}");
        }
        assert_ne!(of("[1,2]"), of("[2,1]"));
        assert_ne!(of(r#"{"x":0}"#), of(r#"{"x":false}"#));
    }

    #[test]
    fn rows_of_tracks_are_left_out_and_files_are_one_table() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("audit_log.ndjson", "{\"entity\":\"track\"}\n{\"entity\":\"detection\"}\n");
        write("detections.p0.ndjson", "{\"id\":1}\n");
        write("detections.p1.ndjson", "{\"id\":2}\n");
        let [detections, audit] = found(folder.path()).unwrap();
        assert_eq!((detections.rows, audit.rows), (2, 1));
    }
}
