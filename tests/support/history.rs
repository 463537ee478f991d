//! The history of cameras as a reader has it who knows nothing of how it is written: all files below a folder.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Row, RowAccessor};
use serde_json::{Value, json};

use super::windows::Rows;

/// The rows of `camera_detections` in a folder's files, as the tables of a store are read. Asserts that each is there once, in
/// the folder of its day.
#[track_caller]
pub(crate) fn read(folder: &Path) -> Rows {
    let mut rows = Rows::new();
    for path in files(folder) {
        let reader = SerializedFileReader::new(File::open(&path).expect("a file")).expect("a Parquet file");
        for row in reader.get_row_iter(None).expect("rows") {
            let (oid, columns, day) = told(&row.expect("a row"));
            assert_eq!(path.parent().and_then(Path::file_name).expect("a folder").to_str(), Some(&*day), "{path:?}");
            let twice = rows.insert(json!([oid]).to_string(), columns);
            assert!(twice.is_none(), "{oid} is there twice: {path:?}");
        }
    }
    rows
}

/// The files of a history, in the order of their names.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(&folder.join("camera_detections"), &mut files);
    files.sort();
    files
}

/// The bytes of each file.
pub(crate) fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files(folder).into_iter().map(|path| (path.clone(), fs::read(path).expect("a file"))).collect()
}

/// What a row says: its key, its other columns, and the folder of its day.
fn told(row: &Row) -> (i64, Vec<Value>, String) {
    let detected_at = row.get_timestamp_millis(5).expect("a time in ms");
    let time = jiff::Timestamp::from_millisecond(detected_at).expect("a time");
    let columns = vec![
        json!(row.get_long(1).expect("a number")),
        json!(row.get_string(2).ok()),
        json!(row.get_long(3).expect("a number")),
        json!(row.get_string(4).expect("a text")),
        json!(detected_at),
    ];
    (row.get_long(0).expect("a number"), columns, time.strftime("day=%Y-%m-%d").to_string())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|end| end == "parquet") {
            files.push(path);
        }
    }
}
