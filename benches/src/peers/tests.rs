//! A made-up engine, run as a real one is.

use super::*;
use crate::tables::Sum;
use std::os::unix::fs::PermissionsExt;

/// What a script says at its end.
const SAYS: &str =
    r#"echo '{"engine":"fake","version":"1.2","parallelism":'$4',"records":3,"seconds":0.01,"startup_seconds":0}'"#;

/// What it finds.
const WRITES: &str = r#"echo '{"detection_id":"a","lat":1.0}' > "$3/detections.0.ndjson"
echo '{"entity_id":"a","entity":"detection"}' > "$3/audit_log.ndjson""#;

/// A folder of one engine made of two scripts.
fn fake(install: &str, run: &str) -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let scripts = folder.path().join("peers/fake");
    fs::create_dir_all(&scripts).unwrap();
    for (name, text) in [("install", install), ("run", run)] {
        fs::write(scripts.join(name), format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(scripts.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let engines =
        engines(&folder.path().join("peers"), &folder.path().join("cache"), engine::DETECTIONS, &["fake".to_owned()])
            .unwrap();
    (folder, engines.into_iter().next().unwrap())
}

/// Where an engine should find what the limit left as `detections`.
fn arena(folder: &Path, detection: &str) -> Arena {
    let out = folder.join("limit");
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join("detections.ndjson"), detection).unwrap();
    let audit = "{\"entity\":\"track\"}\n{\"entity\":\"detection\",\"entity_id\":\"a\",\"org_id\":null}\n";
    fs::write(out.join("audit_log.ndjson"), audit).unwrap();
    let [dumps, tiny, theirs, place] = ["dumps", "tiny", "theirs", "out"].map(|name| folder.join(name));
    Arena { dumps, tiny, theirs, out: place, records: 3, expected: found(&out).unwrap() }
}

fn ran(run: &str, detection: &str) -> Result<Turn> {
    let (folder, engine) = fake("true", run);
    turn(&Job::Engine(engine), 2, &arena(folder.path(), detection), true)
}

#[test]
fn an_engine_that_finds_the_same_is_measured() {
    let turn = ran(&format!("{WRITES}\necho starting\nsleep 0.1\n{SAYS}"), r#"{"lat":1,"detection_id":"a"}"#).unwrap();
    assert_eq!((turn.version.as_str(), turn.job_seconds), ("1.2", 0.01));
    assert!(turn.run.seconds > 0.1);
}

#[test]
fn one_that_finds_something_else_is_not() {
    let error = ran(&format!("{WRITES}\nsleep 0.1\n{SAYS}"), r#"{"lat":1.5,"detection_id":"a"}"#).unwrap_err();
    assert!(error.to_string().contains("of other content"), "{error}");
}

#[test]
fn one_that_claims_more_than_its_time_is_not() {
    let run = format!("{WRITES}\n{}", SAYS.replace("0.01", "100"));
    assert!(ran(&run, r#"{"lat":1,"detection_id":"a"}"#).unwrap_err().to_string().contains("more than"));
}

#[test]
fn one_that_says_nothing_useful_is_quoted() {
    let error = ran("echo done", "{}").unwrap_err();
    assert!(format!("{error:#}").contains("its last line is \"done\""), "{error:#}");
}

#[test]
fn one_that_cannot_be_installed_gets_a_line_with_the_reason() {
    let (_folder, engine) = fake("echo no such package >&2; exit 1", "");
    let reason = format!("{:#}", engine.install().unwrap_err());
    let mut all = contestants(&[engine], &[1]);
    all[2].outcome = Outcome::Failed(reason);
    let run = crate::measure::Run { seconds: 1.0, cpu_seconds: 1.0, peak_kib: 1_024 };
    for measured in &mut all[..2] {
        measured.outcome = Outcome::Measured(vec![Turn { run, job_seconds: 0.5, version: "1".to_owned() }]);
    }
    let text = outcome::report(&all, 100).table(&[]);
    assert!(text.contains("no such package") && text.contains("hexflow"), "{text}");
    assert!(!outcome::picture(&all, 100).contains("fake"));
}

#[test]
fn an_unknown_engine_is_named() {
    let (folder, _) = fake("", "");
    let error =
        engines(&folder.path().join("peers"), folder.path(), engine::DETECTIONS, &["flonk".to_owned()]).unwrap_err();
    assert_eq!(error.to_string(), "--only flonk: there is fake");
}

#[test]
fn the_mapping_has_a_line_for_each_track() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "{\"citylens_track_id\":\"c\",\"track_id\":\"x\",\"status\":\"started\"}\n".repeat(2);
    fs::write(folder.path().join("tracks.ndjson"), rows).unwrap();
    let mapping = folder.path().join("mapping");
    write_mapping(folder.path(), &mapping).unwrap();
    assert_eq!(fs::read_to_string(mapping).unwrap(), "{\"axion_track_id\":\"x\",\"citylens_track_id\":\"c\"}\n");
    assert_eq!(found(folder.path()).unwrap(), [Sum::default(); 2]);
}
