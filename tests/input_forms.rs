//! Catches a reader for which it matters how the same records are packed, named or split over files.

use std::fs;
use std::path::PathBuf;

use crate::oracle::Oracle;
use crate::support::dump;
use crate::support::judge::{assert_counted, assert_stored};
use crate::support::place::Place;
use crate::support::record::{METADATA, Record};
use crate::support::run::Run;
use crate::support::scene::{Scene, track};
use crate::support::varied::varied;

/// Asserts what comes of `records` when they are read from what `paths` packs them into.
fn reads(records: &[Record], paths: impl Fn(&Place) -> Vec<PathBuf>) {
    reads_with(records, |place, run| run.args(paths(place)));
}

fn reads_with(records: &[Record], pack: impl Fn(&Place, Run) -> Run) {
    let (oracle, counts) = Oracle::of(records);
    for workers in ["1", "3"] {
        let place = Place::new();
        let run = pack(&place, place.replay().args(["-w", workers]));
        assert_counted(&run.summary(), &counts);
        assert_stored(&place, &oracle);
    }
}

/// Writes the records of each topic into files, by what `part` says of a record and its place in the topic.
fn split(place: &Place, records: &[Record], part: impl Fn(usize, &Record) -> u64) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for (topic, records) in dump::by_topic(records) {
        let parts: Vec<u64> = records.iter().enumerate().map(|(n, record)| part(n, record)).collect();
        for number in 0..=parts.iter().copied().max().unwrap_or_default() {
            let path = place.path(&format!("in/{topic}-{number}.ndjson"));
            dump::write(&path, records.iter().zip(&parts).filter(|(_, p)| **p == number).map(|(record, _)| *record));
            paths.push(path);
        }
    }
    paths
}

#[test]
fn single_files() {
    let records = varied(600, 11);
    reads(&records, |place| split(place, &records, |_, _| 0));
}

#[test]
fn compressed_files() {
    let records = varied(600, 12);
    for ending in [".gz", ".zst"] {
        reads(&records, |place| {
            dump::write_folder(&place.path("in"), &records, ending);
            vec![place.path("in")]
        });
    }
}

#[test]
fn compressed_files_of_several_members() {
    let records = varied(400, 13);
    let (first, second) = records.split_at(records.len() / 2);
    reads(&records, |place| {
        let path = place.path("all.ndjson.gz");
        fs::write(&path, [dump::gzip(&dump::text(first)), dump::gzip(&dump::text(second))].concat()).expect("a file");
        vec![path]
    });
    reads(&records, |place| {
        let path = place.path("all.ndjson.zst");
        let frame = |records| zstd::encode_all(dump::text(records).as_bytes(), 1).expect("zstd into memory");
        fs::write(&path, [frame(first), frame(second)].concat()).expect("a file");
        vec![path]
    });
}

#[test]
fn standard_input() {
    let records = varied(600, 14);
    reads_with(&records, |_, run| run.arg("-").input(dump::text(&records)));
    reads_with(&records, |_, run| run.arg("-").input(dump::gzip(&dump::text(&records))));
}

#[test]
fn files_split_by_time() {
    let records = varied(600, 15);
    let middle = records[records.len() / 2].ts;
    reads(&records, |place| split(place, &records, |_, record| u64::from(record.ts >= middle)));
}

#[test]
fn files_split_by_partition() {
    let records = varied(600, 16);
    reads(&records, |place| split(place, &records, |_, record| u64::from(record.partition % 5)));
}

/// Many records of one instant: between files only their offsets tell the order.
#[test]
fn files_split_by_alternating_lines_of_one_instant() {
    let mut records = varied(600, 17);
    for record in &mut records {
        record.ts -= record.ts % 1_000;
    }
    reads(&records, |place| split(place, &records, |n, _| n as u64 % 2));
}

/// Producers stamp records, so that within a partition a later offset may bear an earlier time.
fn times_that_run_back(seed: u64) -> Vec<Record> {
    let mut records = varied(600, seed);
    for (n, record) in records.iter_mut().enumerate() {
        record.ts -= [0, 700, 30, 1_500][n % 4];
    }
    records
}

#[test]
fn times_that_run_back_within_a_partition() {
    let records = times_that_run_back(18);
    reads(&records, |place| split(place, &records, |_, _| 0));
}

/// Times mislead a merge, offsets do not.
#[test]
fn times_that_run_back_between_files() {
    let records = times_that_run_back(18);
    reads(&records, |place| split(place, &records, |n, _| n as u64 % 2));
}

/// What editors, other systems and other tools leave in a dump.
#[test]
fn lines_of_every_style() {
    let records = varied(300, 19);
    let text = dump::text(&records);
    let styles = [text.trim_end().to_owned(), text.replace('\n', "\r\n"), text.replace('\n', "\n\n")];
    for style in styles {
        reads(&records, |place| {
            dump::write_text(&place.path("in/all.ndjson"), &style);
            vec![place.path("in")]
        });
    }
}

/// A folder may hold other things than dumps, and dumps of topics that nothing consumes.
#[test]
fn a_folder_with_other_files() {
    let records = varied(300, 20);
    let mut other = Scene::default();
    other.send(crate::support::record::TRACKS, 0, &track("t", 0)).topic = METADATA.to_owned();
    reads(&records, |place| {
        let folder = place.input("in", &records);
        dump::write(&folder.join("other.ndjson"), &other.records);
        fs::write(folder.join("locations.csv"), "oid,lat,lon\n1,2,3\n").expect("a file");
        fs::write(folder.join("README.md"), "# Not a dump\n").expect("a file");
        vec![folder]
    });
}

/// Overlapping dumps: what is read twice is a duplicate.
#[test]
fn the_same_records_twice() {
    let records = Scene::vehicles(100).records;
    let twice = [records.clone(), records.clone()].concat();
    let (oracle, counts) = Oracle::of(&twice);
    let place = Place::new();
    let summary = place.replay().arg(place.input("a", &records)).arg(place.input("b", &records)).summary();
    assert_counted(&summary, &counts);
    assert_stored(&place, &oracle);
}

#[test]
fn an_empty_file() {
    reads(&[], |place| {
        let paths = ["in/a.ndjson", "in/b.ndjson.gz", "in/c.ndjson.zst"].map(|name| place.path(name));
        paths.iter().for_each(|path| dump::write_text(path, ""));
        paths.to_vec()
    });
}
