//! Catches a file that breaks off, vanishes or is no dump, and takes other files with it or goes unnoticed.

use std::fs;
use std::path::Path;

use crate::oracle::Oracle;
use crate::support::dump;
use crate::support::judge::assert_stored;
use crate::support::place::Place;
use crate::support::record::{FRAMES, Record, TRACKS};
use crate::support::run::Output;
use crate::support::scene::Scene;
use crate::support::store::{Store, Tables};

/// Replays a folder that breaks off, mends it, and replays it again: the work is complete.
fn mended_it_completes(records: &[Record], spoil: impl Fn(&Path), mend: impl Fn(&Path)) -> (Output, Tables) {
    let place = Place::new();
    let folder = place.input("in", records);
    spoil(&folder);
    let output = place.replay().args(["-w", "2"]).arg(&folder).end().expect(1);
    let stored = if place.database().exists() { place.store().tables() } else { Tables::new() };
    mend(&folder);
    place.replay().args(["-w", "2"]).arg(&folder).summary();
    assert_stored(&place, &Oracle::of(records).0);
    (output, stored)
}

fn file(topic: &str, ending: &str) -> String {
    format!("{topic}.ndjson{ending}")
}

fn lines(folder: &Path, topic: &str) -> Vec<String> {
    fs::read_to_string(folder.join(file(topic, ""))).expect("a dump").lines().map(str::to_owned).collect()
}

fn remove(path: &Path) {
    fs::remove_file(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

#[test]
fn a_truncated_gzip() {
    let records = Scene::vehicles(600).records;
    let frames: Vec<&Record> = records.iter().filter(|record| record.topic == FRAMES).collect();
    let whole = dump::gzip(&dump::text(frames.iter().copied()));
    let (output, stored) = mended_it_completes(
        &records,
        |folder| {
            remove(&folder.join(file(FRAMES, "")));
            fs::write(folder.join(file(FRAMES, ".gz")), &whole[..whole.len() / 2]).expect("a file");
        },
        |folder| fs::write(folder.join(file(FRAMES, ".gz")), &whole).expect("a file"),
    );
    output.says(&[&file(FRAMES, ".gz")]);
    assert_eq!((stored["tracks"].len(), stored["detections"].len()), (600, 600), "other files are read to their ends");
    assert!(stored["frames"].len() > 100, "what can be read of it is stored: {}", stored["frames"].len());
}

#[test]
fn a_truncated_zstd() {
    let records = Scene::vehicles(600).records;
    let text = dump::text(records.iter().filter(|record| record.topic == FRAMES));
    let whole = zstd::encode_all(text.as_bytes(), 3).expect("zstd into memory");
    let (output, stored) = mended_it_completes(
        &records,
        |folder| {
            remove(&folder.join(file(FRAMES, "")));
            fs::write(folder.join(file(FRAMES, ".zst")), &whole[..whole.len() - 10]).expect("a file");
        },
        |folder| fs::write(folder.join(file(FRAMES, ".zst")), &whole).expect("a file"),
    );
    output.says(&[&file(FRAMES, ".zst")]);
    assert_eq!((stored["tracks"].len(), stored["detections"].len()), (600, 600));
}

/// Each of these in the place of the 300th line is named by file and line, and all other lines are stored.
#[test]
fn a_line_that_is_no_envelope() {
    let records = Scene::vehicles(600).records;
    for wrong in [
        "this is not JSON",
        "{\"topic\":\"axion.sense.citylens.frame.lifecycle\",\"partition\":1",
        "[1,2,3]",
        "{\"topic\":\"axion.sense.citylens.frame.lifecycle\",\"partition\":1,\"offset\":77,\"ts\":1,\"payload\":{\"a\":1}}",
        "{\"partition\":1,\"offset\":77,\"ts\":1,\"key\":\"k\",\"payload\":\"{}\"}",
        "{\"topic\":\"axion.sense.citylens.frame.lifecycle\",\"partition\":-1,\"offset\":77,\"ts\":1,\"payload\":\"{}\"}",
    ] {
        let lost = std::cell::RefCell::new(String::new());
        let path = |folder: &Path| folder.join(file(FRAMES, ""));
        let (output, stored) = mended_it_completes(
            &records,
            |folder| {
                let mut lines = lines(folder, FRAMES);
                lost.replace(std::mem::replace(&mut lines[299], wrong.to_owned()));
                fs::write(path(folder), lines.join("\n")).expect("a file");
            },
            |folder| {
                let mut lines = lines(folder, FRAMES);
                lines[299] = lost.borrow().clone();
                fs::write(path(folder), lines.join("\n")).expect("a file");
            },
        );
        output.says(&[&format!("{}:300", file(FRAMES, ""))]);
        let counts = ["tracks", "frames", "detections"].map(|table| stored[table].len());
        assert_eq!(counts, [600, 599, 600], "all other lines are stored beside {wrong}");
    }
}

/// Bytes that are no text at all.
#[test]
fn a_line_that_is_no_text() {
    let records = Scene::vehicles(200).records;
    let (output, stored) = mended_it_completes(
        &records,
        |folder| fs::write(folder.join("noise.ndjson"), b"\xff\xfe\x00\n\xc3\x28\n").expect("a file"),
        |folder| remove(&folder.join("noise.ndjson")),
    );
    output.says(&["noise.ndjson:1"]);
    assert_eq!(stored["frames"].len(), 200);
}

/// It was there when the folder was listed.
#[test]
fn a_file_that_vanishes() {
    let records = Scene::vehicles(200).records;
    let (output, _) = mended_it_completes(
        &records,
        |folder| std::os::unix::fs::symlink("gone", folder.join("vanished.ndjson")).expect("a link"),
        |folder| remove(&folder.join("vanished.ndjson")),
    );
    output.says(&["vanished.ndjson"]);
}

/// A kind of file that its name does not tell.
#[test]
fn a_file_with_another_name_than_content() {
    let records = Scene::vehicles(200).records;
    let place = Place::new();
    let folder = place.input("in", &records);
    let text = fs::read_to_string(folder.join(file(TRACKS, ""))).expect("a file");
    fs::write(folder.join(file(TRACKS, "")), dump::gzip(&text)).expect("a file");
    place.replay().arg(&folder).summary();
    assert_stored(&place, &Oracle::of(&records).0);
}

#[test]
fn a_path_that_does_not_exist() {
    let records = Scene::vehicles(10).records;
    let place = Place::new();
    let folder = place.input("in", &records);
    for run in [place.replay().arg(place.path("nowhere")), place.replay().arg(&folder).arg(place.path("nowhere"))] {
        let output = run.end().says(&["nowhere"]);
        assert!(matches!(output.code, Some(1 | 2)), "{output:?}");
    }
    place.replay().arg(&folder).summary();
    assert_eq!(Store::open(&place.database()).tables()["frames"].len(), 10);
}
