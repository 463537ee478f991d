//! Catches alerts that a live run does not send, post or show, or that something dead holds up.

use serde_json::{Value, json};

use crate::life::listening;
use crate::support::consumed;
use crate::support::http::get;
use crate::support::kafka::Topics;
use crate::support::place::Place;
use crate::support::ports::free_ports;
use crate::support::readings::movement;
use crate::support::record::{MOVEMENTS, Record};
use crate::support::run::{Run, wait_until};
use crate::support::scene::{MIDNIGHT_MS, Scene};
use crate::support::webhook::Webhook;

/// A reading each second of one who walks, runs for half a minute, and walks on.
fn walk(seconds: i64) -> Vec<Record> {
    let (mut scene, mut x) = (Scene::default(), 0.0);
    for second in 0..seconds {
        x += if (100..130).contains(&second) { 10.0 } else { 1.0 };
        let body = movement(1, "ann", "walker", (x, 0.0), second * 1_000);
        scene.send(MOVEMENTS, 3, &body).ts = MIDNIGHT_MS + second * 1_000;
    }
    scene.records
}

fn rule(run: Run, name: &str, keys: &[(&str, &str)]) -> Run {
    run.args(keys.iter().flat_map(|(key, value)| ["--set".to_owned(), format!("alerts.{name}.{key}={value}")]))
}

/// What the API shows.
fn shown(port: u16) -> Value {
    let (status, body) = get(port, "/alerts").expect("an answer");
    assert_eq!(status, 200);
    serde_json::from_str(&body).expect("JSON")
}

/// The states that were told of a rule, in order.
fn states<'a>(bodies: impl IntoIterator<Item = &'a Value>, rule: &str) -> Vec<Value> {
    bodies.into_iter().filter(|body| body["rule"] == rule).map(|body| body["state"].clone()).collect()
}

fn topics() -> Topics {
    let topics = Topics::new();
    topics.create(&[(topics.name("alerts"), 6)]);
    topics
}

/// All that lies in the topic of alerts.
fn sent(topics: &Topics) -> Vec<Value> {
    consumed::read(topics, "alerts", 6).iter().map(|message| message.record("alerts").body()).collect()
}

/// An alert fires, the run stops and another goes on, and it is over: told once each, on the topic, by a webhook that at
/// first refuses, and by the API. Another webhook is dead all the time, and nobody minds.
#[test]
fn an_alert_is_sent_posted_and_shown_once_across_a_restart() {
    let (place, topics, webhook, port) = (Place::new(), topics(), Webhook::start(2), free_ports());
    let fast = [("figure", "sensors.max_speed"), ("sensor", "*"), ("above", "5")];
    let run = || {
        let run = rule(listening(topics.run(&place), port), "fast", &fast);
        let run = rule(run, "fast", &[("webhook", webhook.url.as_str())]);
        let run = rule(run, "deaf", &[&fast[..], &[("webhook", "http://127.0.0.1:9/hunter2")]].concat());
        run.args(["--pipelines", "sensors", "--set", "alerts.wait=1s"])
    };
    let records = walk(300);
    let first = run().start();
    topics.produce(&records[..150]);
    topics.wait_for_lag(0);
    wait_until("it is posted", || !webhook.taken().is_empty());
    assert_eq!((webhook.refused(), states(&webhook.taken(), "fast")), (2, vec![json!("firing")]));
    let firing = shown(port);
    assert_eq!(
        (states(firing["firing"].as_array().expect("a list"), "fast").len(), &firing["resolved"]),
        (1, &json!([]))
    );
    let alert =
        firing["firing"].as_array().expect("a list").iter().find(|body| body["rule"] == "fast").expect("it fires");
    // The first step of more than 5 m/s is at 100 s.
    let expected = json!({
        "rule": "fast", "key": "sensor=1", "labels": { "sensor": 1 }, "figure": "sensors.max_speed", "state": "firing",
        "threshold": 5.0, "firedAt": alert["firedAt"], "value": 10.0,
    });
    assert_eq!(alert, &expected);
    let fired_at: jiff::Timestamp = alert["firedAt"].as_str().expect("a text").parse().expect("a time");
    assert_eq!(fired_at.as_millisecond() - MIDNIGHT_MS, 110_000);
    assert_eq!(get(port, "/readyz").map(|(status, _)| status), Some(200), "a dead webhook holds nobody up");
    first.terminate();
    first.end().expect(0).says(&["127.0.0.1:9", "before all alerts were posted"]);

    let second = run().start();
    wait_until("it shows what was kept", || {
        get(port, "/alerts").is_some() && states(shown(port)["firing"].as_array().expect("a list"), "fast").len() == 1
    });
    let rest: Vec<Record> = records[150..].to_vec();
    topics.produce(&rest);
    topics.wait_for_lag(0);
    wait_until("the end is posted", || webhook.taken().len() > 1);
    assert_eq!(states(&webhook.taken(), "fast"), ["firing", "resolved"]);
    let shown = shown(port);
    assert_eq!(
        (&shown["firing"], states(shown["resolved"].as_array().expect("a list"), "fast").len()),
        (&json!([]), 1)
    );
    second.terminate();
    let said = second.end().expect(0);
    assert!(!said.stderr.contains("hunter2"), "the address is secret: {}", said.stderr);
    let mut sent = sent(&topics);
    sent.sort_by_key(|body| body["resolvedAt"].to_string());
    for rule in ["fast", "deaf"] {
        let mut states = states(&sent, rule);
        states.sort_by_key(Value::to_string);
        assert_eq!(states, ["firing", "resolved"]);
    }
    assert_eq!(sent.len(), 4);
}

/// Where nothing comes any more, absence is told all the same.
#[test]
fn silence_is_told_by_the_clock_on_the_wall() {
    let (place, topics, port) = (Place::new(), topics(), free_ports());
    let gone = [("figure", "sensors.samples"), ("sensor", "*"), ("absent_for", "2s")];
    let times = ["alerts.wait=1s", "alerts.idle=1s", "sensors.window=1s", "sensors.slide=1s"];
    let run = rule(listening(topics.run(&place), port), "gone", &gone).args(["--pipelines", "sensors"]);
    let run = run.args(times.iter().flat_map(|set| ["--set", set])).start();
    topics.produce(&walk(20));
    topics.wait_for_lag(0);
    assert_eq!(shown(port)["firing"], json!([]));
    wait_until("it fires", || shown(port)["firing"][0]["rule"] == "gone");
    wait_until("it is sent", || consumed::count(&topics, &[("alerts", 6)]) == 1);
    run.terminate();
    run.end().expect(0);
    assert_eq!(states(&sent(&topics), "gone"), ["firing"]);
}
