//! The bundled day, and what the oracle says of it: computed once for all tests.

use std::path::PathBuf;
use std::sync::OnceLock;

use super::dump;
use super::record::Record;
use crate::oracle::{Counts, Oracle};

/// The folder of the day's dumps.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sample/ais-2022-01-03")
}

/// The day's records.
pub(crate) fn records() -> &'static [Record] {
    static RECORDS: OnceLock<Vec<Record>> = OnceLock::new();
    RECORDS.get_or_init(|| dump::read_folder(&folder()))
}

/// What must come of the day in a fresh store.
pub(crate) fn expected() -> &'static (Oracle, Counts) {
    static EXPECTED: OnceLock<(Oracle, Counts)> = OnceLock::new();
    EXPECTED.get_or_init(|| Oracle::of(records()))
}

/// The day's first hours: enough for a test that needs real records, but not all of them.
pub(crate) fn first_hours(hours: i64) -> Vec<Record> {
    let end = 1_641_168_000_000 + hours * 3_600_000;
    records().iter().filter(|record| record.ts < end).cloned().collect()
}
