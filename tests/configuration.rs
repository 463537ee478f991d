//! Catches a setting that does not arrive, or that the wrong source of it wins.

use std::fs;

use serde_json::Value;

use crate::support::place::{Place, shown};
use crate::support::run::Run;
use crate::support::scene::Scene;

/// Records of three environments: 3 of prod, 6 of staging, 9 of dev.
fn records() -> Scene {
    let mut scene = Scene::vehicles(6);
    for (n, record) in scene.records.iter_mut().enumerate() {
        record.set_header("env", Some(["prod", "staging", "staging", "dev", "dev", "dev"][n / 3]));
    }
    scene
}

/// What a run with these sources of configuration does with them.
fn upserts(configure: impl FnOnce(&Place, Run) -> Run) -> Value {
    let place = Place::new();
    let folder = place.input("in", &records().records);
    let summary = configure(&place, place.replay()).arg(folder).summary();
    assert_eq!(summary["upserts"].as_u64().zip(summary["ignored"].as_u64()).map(|(u, i)| u + i), Some(18), "{summary}");
    summary["upserts"].clone()
}

fn with_file(place: &Place, run: Run, text: &str) -> Run {
    let path = place.path("hexflow.toml");
    fs::write(&path, text).expect("a file");
    run.args(["--config", &shown(&path)])
}

#[test]
fn other_environments_are_ignored() {
    assert_eq!(upserts(|_, run| run), 3);
    assert_eq!(upserts(|_, run| run.args(["--set", "env=staging"])), 6);
}

#[test]
fn file_then_environment_then_set() {
    let file = "env = \"staging\"\n[kafka.citylens]\nbatch_size = 7\nlinger_ms = 20\n";
    assert_eq!(upserts(|place, run| with_file(place, run, file)), 6);
    assert_eq!(upserts(|place, run| with_file(place, run, file).env("HEXFLOW__ENV", "dev")), 9);
    let set = ["--set", "env=prod"];
    assert_eq!(upserts(|place, run| with_file(place, run, file).env("HEXFLOW__ENV", "dev").args(set)), 3);
}

#[test]
fn a_wrong_file_is_a_usage_error() {
    for (text, word) in [
        ("env = \"prod\"\nkafka.citylens.batchsize = 5\n", "batch_size"),
        ("kafka.citylens.batch_size = \"many\"\n", "batch_size"),
        ("env = \n", "hexflow.toml"),
    ] {
        let place = Place::new();
        let folder = place.input("in", &records().records);
        with_file(&place, place.replay(), text).arg(folder).end().expect(2).says(&[word]);
    }
}

/// As hexflow writes it, and as the system before it did.
#[test]
fn the_environment_is_checked_as_well() {
    for name in ["HEXFLOW__KAFKA__CITYLENS__BATCH_SIZE", "Kafka__Citylens__BatchSize"] {
        let place = Place::new();
        let folder = place.input("in", &records().records);
        place.replay().env(name, "37").arg(&folder).summary();
        place.replay().env(name, "many").arg(&folder).end().expect(2).says(&[name]);
    }
    let place = Place::new();
    let folder = place.input("in", &records().records);
    let run = place.replay().env("HEXFLOW__KAFKA__CITYLENS__BATCHSIZE", "37");
    run.arg(&folder).end().expect(2).says(&["batch_size"]);
}
