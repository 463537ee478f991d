//! Catches a malformed record that is set aside and lost, altered, or no longer to be traced.

use std::collections::BTreeMap;

use crate::oracle::Oracle;
use crate::support::broken;
use crate::support::emitted::{self, assert_well_formed};
use crate::support::judge::assert_stored;
use crate::support::place::{Place, shown};
use crate::support::record::{DETECTIONS, FRAMES, Record, TRACKS};

const DEAD_LETTER: [&str; 2] = ["--set", "on_malformed=dead_letter"];

/// The record that a dead letter says it was.
fn original(letter: &Record) -> Record {
    let header = |name: &str| letter.header(name).unwrap_or_else(|| panic!("no {name} header: {letter:?}"));
    let mut record = letter.clone();
    record.topic = header("topic").to_owned();
    record.partition = header("partition").parse().expect("a number");
    record.offset = header("offset").parse().expect("a number");
    for added in ["error", "topic", "partition", "offset"] {
        record.set_header(added, None);
    }
    record
}

#[test]
fn every_kind_is_set_aside_as_it_came() {
    let (scene, broken) = broken::all();
    let mut oracle = Oracle::setting_aside();
    let counts = oracle.replay(&scene.records);
    for workers in ["1", "3"] {
        let place = Place::new();
        let emit = shown(&place.path("emit"));
        let run = place.replay().args(DEAD_LETTER).args(["-w", workers, "--emit", &emit]);
        let summary = run.arg(place.input("in", &scene.records)).summary();
        assert_eq!((&summary["stalled"], &summary["malformed"]), (&0.into(), &broken.len().into()), "{summary}");
        assert_eq!((&summary["upserts"], &summary["records"]), (&counts.upserts.into(), &counts.records.into()));
        assert_stored(&place, &oracle);

        let mut letters = BTreeMap::new();
        for topic in [TRACKS, FRAMES, DETECTIONS] {
            let dead = emitted::read(&place.path("emit"), &format!("{topic}.dlq"));
            assert_well_formed_letters(&dead, topic);
            letters.extend(dead.into_iter().map(|letter| {
                let record = original(&letter);
                ((record.topic.clone(), record.partition, record.offset), (letter, record))
            }));
        }
        assert_eq!(letters.len(), broken.len());
        for broken in &broken {
            let record = &broken.record;
            let (letter, original) = &letters[&(record.topic.clone(), record.partition, record.offset)];
            assert_eq!(
                (&original.headers, &original.key, &original.payload),
                (&record.headers, &record.key, &record.payload)
            );
            assert!(letter.header("error").expect("an error").contains(broken.names), "{letter:?}");
        }
    }
}

fn assert_well_formed_letters(letters: &[Record], topic: &str) {
    assert!(!letters.is_empty(), "{topic}");
    assert!(letters.iter().all(|letter| letter.topic == format!("{topic}.dlq")), "{letters:?}");
    assert_well_formed(letters, 6);
}

/// There is nowhere to set it aside.
#[test]
fn without_emit_it_is_a_usage_error() {
    let place = Place::new();
    let folder = place.input("in", &crate::support::scene::Scene::vehicles(1).records);
    place.replay().args(DEAD_LETTER).arg(folder).end().expect(2).says(&["--emit"]);
    assert!(!place.database().exists());
}

/// An orphan is not malformed: it waits.
#[test]
fn orphans_still_stall() {
    let mut scene = crate::support::scene::Scene::vehicles(24);
    scene.send(FRAMES, 3, &crate::support::scene::frame("f-orphan", "t-nowhere", 0));
    let (oracle, _) = Oracle::of(&scene.records);
    let place = Place::new();
    let run = place.replay().args(DEAD_LETTER).args(["--emit", &shown(&place.path("emit"))]);
    let output = run.arg(place.input("in", &scene.records)).end().expect(3);
    assert_eq!(output.summary()["stalls"][0]["topic"], FRAMES);
    assert_stored(&place, &oracle);
}
