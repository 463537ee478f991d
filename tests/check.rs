//! Catches a list of checks that calls well what is not, or does not say what to do.

use serde_json::Value;

use crate::support::clickhouse::Server;
use crate::support::kafka::{Topics, shared};
use crate::support::place::{Place, shown};
use crate::support::run::{Output, Run};

fn sqlite(place: &Place) -> String {
    format!("sqlite:{}", shown(&place.database()))
}

/// The things that are not well, and why.
fn wrong(output: &Output) -> Vec<(String, String)> {
    let all = output.summary();
    let checks = all["checks"].as_array().expect("checks");
    let wrong = checks.iter().filter(|check| check["ok"] == false);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let wrong: Vec<_> = wrong.map(|check| (text(&check["what"]), text(&check["detail"]))).collect();
    assert_eq!(all["ok"], wrong.is_empty());
    wrong
}

#[test]
fn all_is_well_when_everything_is_there() {
    let (place, topics) = (Place::new(), Topics::new());
    let output = topics.verb("check", &["--store", &sqlite(&place)]).end().expect(0);
    assert!(output.stdout.contains("✓ producer") && !output.stdout.contains('✗'), "{output:?}");
    let output = topics.verb("check", &["--store", &sqlite(&place), "--json"]).end().expect(0);
    assert_eq!(wrong(&output), []);
    assert_eq!(output.summary()["checks"].as_array().map(Vec::len), Some(12));
    assert!(!place.database().exists(), "looking makes nothing");
}

#[test]
fn what_is_missing_is_told_with_what_to_do() {
    let (place, topics) = (Place::new(), Topics::none_at(shared()));
    let args = [
        "--store",
        &sqlite(&place),
        "--json",
        "--set",
        "object_store.url=file:///proc/none/objects",
        "--set",
        "archive.url=file:///proc/none/archive",
    ];
    let output = topics.verb("check", &args).end().expect(1);
    let wrong = wrong(&output);
    assert_eq!(wrong.len(), 10, "{wrong:?}");
    assert_eq!(wrong.iter().filter(|(_, why)| why.contains("hexflow migrate")).count(), 8, "{wrong:?}");
    assert!(wrong.iter().any(|(what, _)| what.contains("/proc/none/objects")), "{wrong:?}");
    assert!(wrong.iter().any(|(what, _)| what.contains("archive /proc/none/archive")), "{wrong:?}");
}

#[test]
fn brokers_that_do_not_answer_are_told_before_long() {
    let place = Place::new();
    let args = ["--store", &sqlite(&place), "--json", "--set", "kafka.brokers=127.0.0.1:9"];
    let output = Run::new("check").args(args).end().expect(1);
    let wrong = wrong(&output);
    assert!(
        wrong.len() == 1 && wrong[0].0.contains("127.0.0.1:9") && wrong[0].1.contains("kafka.brokers"),
        "{wrong:?}"
    );
}

#[test]
fn clickhouse_is_asked_for_its_tables() {
    let topics = Topics::new();
    let database = Server::shared().database();
    let check = || database.configure(topics.verb("check", &["--store", "clickhouse", "--json"]));
    assert_eq!(wrong(&check().end().expect(0)), []);
    let output = check().args(["--set", "clickhouse.database=nowhere"]).end().expect(1);
    let wrong = wrong(&output);
    assert!(wrong.len() == 1 && wrong[0].1.contains("hexflow migrate"), "{wrong:?}");
}
