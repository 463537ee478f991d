//! Catches questions that are answered with something else than was asked for, or refused without a word that helps.

use rusqlite::Connection;
use serde_json::Value;

use crate::support::asked::{Api, Question};
use crate::support::http::get;
use crate::support::place::Place;
use crate::support::ports::free_ports;
use crate::support::readings::{Disorder, detections, movements};
use crate::support::run::Run;
use crate::support::scene::MIDNIGHT_MS;

const SPAN: (i64, i64) = (MIDNIGHT_MS, MIDNIGHT_MS + 1_800_000);

/// A place with some windows, and its store.
fn filled() -> (Place, String) {
    let place = Place::new();
    let records = [movements(500, 97, Disorder(30_000)), detections(500, 97, Disorder(120_000))].concat();
    place.replay().arg(place.input("in", &records)).summary();
    let store = format!("sqlite:{}", place.database().display());
    (place, store)
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let (_place, store) = filled();
    let api = Api::over(&store, &[]);
    let odd = (SPAN.0 + 5_000, SPAN.1);
    for (question, parameter, word) in [
        (Question::new("sensors", (SPAN.1, SPAN.0)), "to", "not after from"),
        (Question::new("sensors", SPAN).with("step", Some("15s")), "step", "sensors.slide"),
        (Question::new("sensors", SPAN).with("step", Some("0s")), "step", "sensors.slide"),
        (Question::new("sensors", SPAN).with("step", Some("soon")), "step", "30s"),
        (Question::new("sensors", SPAN).with("sensor", Some("north")), "sensor", "north"),
        (Question::new("cameras", odd), "from", "2022-01-03T00:00:10Z"),
        (Question::new("cameras", SPAN).with("step", Some("15s")), "step", "cameras.window"),
        (Question::new("top", SPAN).with("k", Some(0)), "k", "from 1 to"),
        (Question::new("top", odd).with("k", Some(1)), "from", "cameras.window"),
    ] {
        question.command(&store, "json").end().expect(2).says(&[&format!("--{parameter}"), word]);
        let (status, body) = question.get(api.port);
        let refused: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!((status, refused["parameter"].as_str()), (400, Some(parameter)), "{question:?}: {body}");
        // clap has words of its own for what is no number.
        assert!(refused["error"].as_str().is_some_and(|why| why.contains(word)), "{question:?}: {body}");
    }
    for (path, parameter) in [
        ("/sensors/windows?from=yesterday&to=1641168000000", "from"),
        ("/sensors/windows?to=1641168000000", "from"),
        ("/sensors/windows?from=2022-01-03T00:00:00Z&to=2022-01-03T01:00:00Z&sensr=1", "sensr"),
        ("/sensors/windows?from=1&to=2&to=3", "to"),
        ("/cameras/windows?from=0&to=10000&fill=yes", "fill"),
        ("/cameras/top?from=0&to=10000", "k"),
    ] {
        let (status, body) = get(api.port, path).expect("an answer");
        let refused: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!((status, refused["parameter"].as_str()), (400, Some(parameter)), "{path}: {body}");
    }
}

#[test]
fn too_much_is_refused() {
    let (_place, store) = filled();
    let api = Api::over(&store, &[]);
    let fill = Question::new("cameras", (0, SPAN.1)).with("fill", Some("true"));
    for question in [Question::new("sensors", (0, SPAN.1)), fill] {
        question.command(&store, "csv").end().expect(2).says(&["100000 rows", "step"]);
        let (status, body) = question.get(api.port);
        assert!(status == 400 && body.contains("100000 rows"), "{body}");
    }
}

/// Other windows than those that are stored would be told as zeros.
#[test]
fn windows_of_another_shape_are_refused() {
    let (_place, store) = filled();
    for (verb, set) in [
        ("sensors", "sensors.window=30s"),
        ("sensors", "sensors.slide=15s"),
        ("sensors", "sensors.slide=5s"),
        ("sensors", "sensors.slide=2s"),
        ("cameras", "cameras.window=5s"),
    ] {
        let key = set.split('=').next().expect("a key");
        let question = Question::new(verb, SPAN);
        question.command(&store, "json").args(["--set", set]).end().expect(2).says(&[key, "holds windows"]);
        let (status, body) = question.get(Api::over(&store, &["--set".to_owned(), set.to_owned()]).port);
        assert!(status == 409 && body.contains(key), "{body}");
    }
}

#[test]
fn a_store_without_windows_is_named() {
    let place = Place::new();
    let (store, question) = (format!("sqlite:{}", place.database().display()), Question::new("sensors", SPAN));
    question.command(&store, "json").end().expect(1).says(&["there is no store", "hexflow.db"]);
    Run::new("serve").args(["--store", &store]).end().expect(1).says(&["there is no store"]);
    assert!(!place.database().exists(), "reading makes nothing");
    Connection::open(place.database())
        .and_then(|store| store.execute_batch("CREATE TABLE other (a)"))
        .expect("a store");
    question.command(&store, "json").end().expect(1).says(&[
        "hexflow.db",
        "no such table",
        "sensor_windows",
        "--pipelines",
    ]);
    let (status, body) = question.get(Api::over(&store, &[]).port);
    assert!(status == 503 && body.contains("no such table"), "{body}");
    std::fs::write(place.database(), "no database at all, but long enough to be looked at".repeat(9)).expect("a file");
    question.command(&store, "json").end().expect(1).says(&["hexflow.db", "not a database"]);
    question.command("null", "json").end().expect(1).says(&["sqlite:PATH and clickhouse"]);
}

#[test]
fn an_address_that_is_taken_ends_it() {
    let (_place, store) = filled();
    let port = free_ports();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).expect("a free port");
    let listen = format!("api.listen=127.0.0.1:{port}");
    Run::new("serve")
        .args(["--store", &store, "--set", &listen])
        .end()
        .expect(1)
        .says(&["cannot listen", "api.listen"]);
}
