//! Reads and writes dump files, plain or compressed as their names end.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::record::Record;

/// All records of a file.
pub(crate) fn read(path: &Path) -> Vec<Record> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    match path.extension().and_then(|e| e.to_str()) {
        Some("gz") => MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("gzip"),
        Some("zst") => zstd::Decoder::new(&bytes[..]).expect("zstd").read_to_string(&mut text).expect("zstd"),
        _ => (&bytes[..]).read_to_string(&mut text).expect("UTF-8"),
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(Record::from_line).collect()
}

/// All records of a folder's files.
pub(crate) fn read_folder(folder: &Path) -> Vec<Record> {
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files.iter().flat_map(|file| read(file)).collect()
}

/// The lines of `records`, each with its newline.
pub(crate) fn text<'a>(records: impl IntoIterator<Item = &'a Record>) -> String {
    records.into_iter().map(|record| record.line() + "\n").collect()
}

/// Writes `records` into one file.
pub(crate) fn write<'a>(path: &Path, records: impl IntoIterator<Item = &'a Record>) {
    write_text(path, &text(records));
}

/// Writes text into a file, compressed as its name ends.
pub(crate) fn write_text(path: &Path, text: &str) {
    let bytes = match path.extension().and_then(|e| e.to_str()) {
        Some("gz") => gzip(text),
        Some("zst") => zstd::encode_all(text.as_bytes(), 3).expect("zstd into memory"),
        _ => text.as_bytes().to_vec(),
    };
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// The text as a gzip file.
pub(crate) fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("gzip into memory");
    encoder.finish().expect("gzip into memory")
}

/// The records of each topic.
pub(crate) fn by_topic(records: &[Record]) -> BTreeMap<&str, Vec<&Record>> {
    let mut topics: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in records {
        topics.entry(&record.topic).or_default().push(record);
    }
    topics
}

/// Writes one file a topic, `TOPIC.ndjson` and whatever `ending` follows it.
pub(crate) fn write_folder(folder: &Path, records: &[Record], ending: &str) {
    for (topic, records) in by_topic(records) {
        write(&folder.join(format!("{topic}.ndjson{ending}")), records);
    }
}
