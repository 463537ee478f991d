//! An archive of raw messages as files, and whether it holds what it should.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::dump;
use super::record::Record;
use super::run::Run;

/// The folder of an archive.
pub(crate) struct Archive(pub(crate) PathBuf);

impl Archive {
    /// Tells a run to archive here, in small objects.
    pub(crate) fn of(&self, run: Run) -> Run {
        small(run).args(["--set".to_owned(), format!("archive.url=file://{}", self.0.display())])
    }

    /// Its files' names and bytes.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.0, &self.0, &mut files);
        files
    }

    /// The entries of its manifest, by their names.
    pub(crate) fn entries(&self) -> Vec<(String, Value)> {
        let files = self.files();
        let entries = files.into_iter().filter(|(name, _)| name.starts_with("manifest/"));
        entries.map(|(name, bytes)| (name, serde_json::from_slice(&bytes).expect("JSON"))).collect()
    }

    /// The number of messages that the manifest tells of.
    pub(crate) fn count(&self) -> u64 {
        self.entries().iter().map(|(_, entry)| entry["records"].as_u64().expect("a number")).sum()
    }

    /// Waits until it holds so many messages, and no fewer. A member that was killed keeps its partitions for a while.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.count() < count as u64 && Instant::now() < deadline {
            sleep(Duration::from_millis(50));
        }
        assert_eq!(self.count(), count as u64);
    }

    /// Asserts that it holds each of `records` once and nothing else, where it belongs, and that its manifest is right.
    #[track_caller]
    pub(crate) fn assert_holds(&self, records: &[Record]) {
        let files = self.files();
        let mut archived = BTreeMap::new();
        for (name, entry) in self.entries() {
            let object = entry["object"].as_str().expect("a name");
            let bytes = files.get(object).unwrap_or_else(|| panic!("{name}: {object} is not there"));
            let lines = dump::read(&self.0.join(object));
            assert_entry(&entry, bytes, &lines);
            for record in lines {
                let place = place_of(&record);
                assert!(archived.insert(place.clone(), record).is_none(), "{place:?} is there twice");
            }
        }
        let expected: BTreeMap<_, _> = records.iter().map(|record| (place_of(record), record.clone())).collect();
        let missing: Vec<_> = expected.keys().filter(|place| !archived.contains_key(*place)).take(5).collect();
        let extra: Vec<_> = archived.keys().filter(|place| !expected.contains_key(*place)).take(5).collect();
        assert!(missing.is_empty() && extra.is_empty(), "missing {missing:?}, not expected {extra:?}");
        for (place, record) in &expected {
            assert_eq!(&archived[place], record, "{place:?}");
        }
    }
}

/// Tells a run to archive in small objects. There is room for all that is read again after a kill: where there was none,
/// objects would end elsewhere than before.
pub(crate) fn small(run: Run) -> Run {
    run.args(["--set", "archive.roll_interval=300ms", "--set", "archive.roll_bytes=400000"])
}

fn place_of(record: &Record) -> (String, u32, u64) {
    (record.topic.clone(), record.partition, record.offset)
}

/// Asserts that an entry says what its object holds.
fn assert_entry(entry: &Value, bytes: &[u8], lines: &[Record]) {
    let hash = xxhash_rust::xxh3::xxh3_128(bytes);
    assert_eq!((&entry["bytes"], &entry["xxh3"]), (&bytes.len().into(), &format!("{hash:032x}").into()), "{entry}");
    let offsets = || lines.iter().map(|record| record.offset);
    let times = || lines.iter().map(|record| record.ts);
    assert!(offsets().is_sorted(), "{entry}");
    let said = ["records", "first_offset", "last_offset"].map(|name| entry[name].as_u64());
    assert_eq!(said, [Some(lines.len() as u64), offsets().min(), offsets().max()], "{entry}");
    assert_eq!([entry["min_ts"].as_i64(), entry["max_ts"].as_i64()], [times().min(), times().max()], "{entry}");
    for record in lines {
        let time = jiff::Timestamp::from_millisecond(record.ts).expect("a time");
        let folder = format!("topic={}/{}", record.topic, time.strftime("day=%Y-%m-%d/hour=%H"));
        assert!(entry["object"].as_str().is_some_and(|name| name.starts_with(&folder)), "{entry}: {record:?}");
        assert_eq!(
            (entry["topic"].as_str(), entry["partition"].as_u64()),
            (Some(record.topic.as_str()), Some(u64::from(record.partition)))
        );
    }
}

/// What a kill left half written has a name that no reader looks at.
fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        let name = path.strip_prefix(root).expect("below it").display().to_string();
        if path.is_dir() {
            collect(root, &path, files);
        } else if name.ends_with(".json") || name.ends_with(".zst") {
            files.insert(name, fs::read(&path).expect("a file"));
        }
    }
}
