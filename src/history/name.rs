//! Names of the history's files, by which it is known what they are.

use xxhash_rust::xxh3::xxh3_128;

use crate::archive::hour::Hour;

/// The folder of the files, named after their table.
pub const FOLDER: &str = "camera_detections";

/// What says which store the files are of. Readers pass over names that begin with an underscore.
pub const STORE: &str = "camera_detections/_store.json";

const SUFFIX: &str = ".parquet";

/// The folder of the day that `ms` since the epoch is on.
pub fn day(ms: i64) -> String {
    format!("{FOLDER}/day={}", Hour::of_ms(ms).day())
}

/// The name of a file of rows of a day, `ms` since the epoch being one of its times, that are settled below `upto_ms`.
pub fn of(ms: i64, upto_ms: i64, bytes: &[u8]) -> String {
    format!("{}/{upto_ms}-{:032x}{SUFFIX}", day(ms), xxh3_128(bytes))
}

/// Up to when the rows of a file are settled, if it is one of the history's.
pub fn upto_ms(name: &str) -> Option<i64> {
    let (upto, hash) = name.rsplit('/').next()?.strip_suffix(SUFFIX)?.rsplit_once('-')?;
    (hash.len() == 32).then(|| upto.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_up_to_when() {
        for (ms, upto, day) in [(0, 5, "1970-01-01"), (-1, -1, "1969-12-31"), (i64::MAX, i64::MIN, "9999-12-30")] {
            let name = of(ms, upto, b"bytes");
            assert_eq!(upto_ms(&name), Some(upto));
            assert!(name.starts_with(&format!("camera_detections/day={day}/")), "{name}");
        }
        for other in ["camera_detections/_store.json", "day=1970-01-01/part-0.parquet", "5.parquet", ""] {
            assert_eq!(upto_ms(other), None, "{other}");
        }
    }
}
