//! Catches a generator that does not make what it was asked for, or a pipeline that its dumps lead astray.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use flate2::read::GzDecoder;

use crate::oracle::Oracle;
use crate::support::dump;
use crate::support::judge::{assert_counted, assert_stored};
use crate::support::place::Place;
use crate::support::record::DETECTIONS;
use crate::support::run::Run;

fn generate(folder: &Path, seed: &str, broken: &str) {
    let shape = ["--tracks", "60", "--detections", "4000", "--duplicates", "0.1", "--stale", "0.05"];
    let run = Run::new("generate").args(shape).args(["--malformed", broken, "--orphans", broken, "--seed", seed]);
    run.arg(folder).end().expect(0);
}

fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    files
        .map(|file| (file.file_name().to_string_lossy().into_owned(), fs::read(file.path()).expect("a file")))
        .collect()
}

#[test]
fn generated_dumps_match_the_oracle() {
    let place = Place::new();
    let folder = place.path("generated");
    generate(&folder, "7", "0");
    let records = dump::read_folder(&folder);
    let (oracle, counts) = Oracle::of(&records);
    assert!(counts.duplicates > 100 && counts.stale > 50, "{counts:?}");
    assert!(records.iter().filter(|record| record.topic == DETECTIONS).count() >= 4_000);
    assert_counted(&place.replay().args(["-w", "2"]).arg(&folder).summary(), &counts);
    assert_stored(&place, &oracle);
}

#[test]
fn generated_flaws_stall_as_the_oracle_says() {
    let place = Place::new();
    let folder = place.path("generated");
    generate(&folder, "8", "0.001");
    let (oracle, counts) = Oracle::of(&dump::read_folder(&folder));
    assert!(!counts.stalls.is_empty(), "{counts:?}");
    let output = place.replay().args(["-w", "2"]).arg(&folder).end().expect(3);
    let stalled: Vec<_> = output.summary()["stalls"].as_array().expect("a list").clone();
    assert_eq!(stalled.len(), counts.stalls.len(), "{stalled:?}");
    assert_stored(&place, &oracle);
}

#[test]
fn one_seed_makes_one_dump() {
    let place = Place::new();
    for (folder, seed) in [("a", "7"), ("b", "7"), ("c", "8")] {
        generate(&place.path(folder), seed, "0.01");
    }
    let [a, b, c] = ["a", "b", "c"].map(|folder| bytes(&place.path(folder)));
    assert_eq!(a, b);
    assert_ne!(a, c);
}

/// What goes to the standard output is what goes into files, packed or not.
#[test]
fn readings_go_to_files_and_to_standard_output_alike() {
    for (pipeline, count, topic) in
        [("sensors", "--readings", "movements"), ("cameras", "--detections", "camera-detections")]
    {
        let place = Place::new();
        let folder = place.path("generated");
        let generate = || {
            let run = Run::new("generate").args(["--pipeline", pipeline, count, "3000", "--seed", "7"]);
            run.args(["--late", "0.05", "--duplicates", "0.1", "--disorder", "1s"])
        };
        let written = generate().args(["--compress", "gzip"]).arg(&folder).end().expect(0);
        assert!(written.stderr.contains(" late); ") && written.stderr.contains("event time"), "{written:?}");
        let packed = fs::File::open(folder.join(format!("{topic}.ndjson.gz"))).expect("a dump");
        let lines = io::read_to_string(GzDecoder::new(packed)).expect("gzip");
        assert!(
            lines.lines().count() > 3_200 && lines.starts_with(&format!("{{\"topic\":\"{topic}\"")),
            "{lines:.100}"
        );
        assert!(generate().arg("-").end().expect(0).stdout == lines);
        assert_eq!(folder.join("locations.csv").exists(), pipeline == "cameras");
    }
}

#[test]
fn an_option_of_another_pipeline_is_a_usage_error() {
    let place = Place::new();
    let folder = place.path("generated");
    let run = Run::new("generate").args(["--pipeline", "cameras", "--tracks", "5"]).arg(&folder);
    run.end().expect(2).says(&["--tracks", "pipeline cameras", "citylens"]);
    assert!(!folder.exists(), "a usage error does nothing");
}
