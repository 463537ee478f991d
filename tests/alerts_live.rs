//! Catches alerts that a live run does not send, post or show, or that something dead holds up.

use std::collections::BTreeSet;
use std::thread::sleep;

use serde_json::{Value, json};

use crate::life::{listening, metric};
use crate::oracle::alerts::{Limit, Rule, alerts};
use crate::oracle::sensors::{USUAL, sensors};
use crate::support::consumed;
use crate::support::http::get;
use crate::support::kafka::Topics;
use crate::support::kept::{Kept, STORES, Store};
use crate::support::ports::free_ports;
use crate::support::readings::movement;
use crate::support::record::{MOVEMENTS, Record};
use crate::support::run::{Run, Running, random_ms, wait_until};
use crate::support::scene::{MIDNIGHT_MS, Scene, at};
use crate::support::webhook::Webhook;
use crate::support::windows::{Rows, assert_table};

/// A reading each second of one who walks, and runs from 100 s to 130 s of each 300 s.
fn walk(seconds: i64) -> Vec<Record> {
    let (mut scene, mut x) = (Scene::default(), 0.0);
    for second in 0..seconds {
        x += if (100..130).contains(&(second % 300)) { 10.0 } else { 1.0 };
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

/// What is counted of the webhook at an address: posts taken, attempts failed, alerts left out.
fn posts(port: u16, url: &str) -> [f64; 3] {
    let host = url.split('/').nth(2).expect("a host");
    let (_, text) = get(port, "/metrics").expect("an answer");
    ["posts", "post_failures", "left_out"].map(|name| {
        let (start, of) = (format!("hexflow_alert{}_{name}_total", if name == "left_out" { "s" } else { "" }), host);
        let line = text.lines().find(|line| line.starts_with(&start) && line.contains(of)).expect("a series");
        line.rsplit_once(' ').expect("a value").1.parse().expect("a number")
    })
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

#[test]
fn an_alert_is_sent_posted_and_shown_once_across_a_restart() {
    sent_posted_and_shown_once(Store::Sqlite);
}

#[test]
fn an_alert_is_sent_posted_and_shown_once_across_a_restart_in_clickhouse() {
    sent_posted_and_shown_once(Store::ClickHouse);
}

/// An alert fires, the run stops and another goes on, and it is over: told once each, on the topic, by a webhook that at
/// first refuses, and by the API. Another webhook is dead all the time, and nobody minds.
fn sent_posted_and_shown_once(store: Store) {
    let (kept, topics, webhook, port) = (Kept::new(store), topics(), Webhook::start(2), free_ports());
    let fast = [("figure", "sensors.max_speed"), ("sensor", "*"), ("above", "5")];
    let deaf = "http://127.0.0.1:9/hunter2";
    let run = || {
        let run = rule(listening(kept.run(&topics), port), "fast", &fast);
        let run = rule(run, "fast", &[("webhook", webhook.url.as_str())]);
        let run = rule(run, "deaf", &[&fast[..], &[("webhook", deaf)]].concat());
        run.args(["--pipelines", "sensors", "--set", "alerts.wait=1s"])
    };
    let records = walk(300);
    let first = run().start();
    topics.produce(&records[..150]);
    topics.wait_for_lag(0);
    wait_until("it is posted", || !webhook.taken().is_empty());
    assert_eq!((webhook.refused(), states(&webhook.taken(), "fast")), (2, vec![json!("firing")]));
    wait_until("the post is counted", || posts(port, &webhook.url) == [1.0, 2.0, 0.0]);
    wait_until("attempts at the dead one are counted", || posts(port, deaf)[1] > 0.0);
    assert_eq!([posts(port, deaf)[0], posts(port, deaf)[2]], [0.0, 0.0]);
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
    assert_eq!(kept.count("alert_notices"), 0, "what was taken is not told again");

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
    let (kept, topics, port) = (Kept::new(Store::Sqlite), topics(), free_ports());
    let gone = [("figure", "sensors.samples"), ("sensor", "*"), ("absent_for", "2s")];
    let times = ["alerts.wait=1s", "alerts.idle=1s", "sensors.window=1s", "sensors.slide=1s"];
    let run = rule(listening(kept.run(&topics), port), "gone", &gone).args(["--pipelines", "sensors"]);
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

/// Nothing is left but an address: what fired is over as soon as the run begins, though nothing comes.
#[test]
fn an_alert_whose_rule_is_gone_is_told_to_be_over() {
    for store in STORES {
        let (kept, topics, webhook, port) = (Kept::new(store), topics(), Webhook::start(0), free_ports());
        let run = || {
            let run = listening(kept.run(&topics), port).args(["--pipelines", "sensors"]);
            run.args(["--set", &format!("alerts.webhook={}", webhook.url)])
        };
        let fast = [("figure", "sensors.max_speed"), ("sensor", "*"), ("above", "5")];
        let first = rule(run(), "fast", &fast).args(["--set", "alerts.wait=1s"]).start();
        topics.produce(&walk(140));
        wait_until("it is posted", || !webhook.taken().is_empty());
        topics.wait_for_lag(0);
        first.terminate();
        first.end().expect(0);

        let second = run().start();
        wait_until("the end is posted", || webhook.taken().len() > 1);
        let shown = shown(port);
        assert_eq!(
            (&shown["firing"], states(shown["resolved"].as_array().expect("a list"), "fast").len()),
            (&json!([]), 1)
        );
        wait_until("it is stored", || kept.tables()["alerts"].values().all(|row| row[1] == "resolved"));
        second.terminate();
        second.end().expect(0);
        assert_eq!(states(&webhook.taken(), "fast"), ["firing", "resolved"]);
        let sent = sent(&topics);
        let over: Vec<_> = sent.iter().filter(|body| body["state"] == "resolved").collect();
        assert_eq!((sent.len(), over.len()), (2, 1));
        // Judged up to the last whole window before 139 s and a second more.
        assert_eq!(over[0]["resolvedAt"], at(130_000));
        assert_eq!(kept.count("alert_notices"), 0);
    }
}

/// A run that reads one partition in order, and is told of no silence.
fn steady(kept: &Kept, topics: &Topics) -> Running {
    let args = ["--pipelines", "sensors", "--set", "kafka.citylens.batch_size=10", "--set", "alerts.idle=1h"];
    let run = rules().iter().fold(kept.run(topics), |run, rule| run.args(rule.args()));
    run.args(args).args(["--set", "alerts.wait=1s"]).start()
}

fn rules() -> [Rule; 2] {
    let rule = |name, figure, limit, hold| Rule { name, figure, picks: ["*", ""], limit, hold, repeat: 0 };
    [
        rule("fast", "sensors.max_speed", Limit::Above(5.0, 5.0), 0),
        rule("mean", "sensors.avg_speed", Limit::Above(2.0, 1.5), 20_000),
    ]
}

/// The rows that must come of records, and what must be told of them: rule, key, state and times.
fn told(records: &[Record]) -> (Rows, BTreeSet<String>) {
    let judged = records.last().expect("records").ts - 1_000;
    let rows = alerts(&rules(), &sensors(records, USUAL).windows, (0, USUAL.slide), judged);
    let mut told = BTreeSet::new();
    for (key, row) in &rows {
        let key: Value = serde_json::from_str(key).expect("a key");
        let time = |ms: &Value| ms.as_i64().map(|ms| at(ms - MIDNIGHT_MS));
        told.insert(json!([key[0], key[1], "firing", time(&key[2]), null]).to_string());
        if row[1] == "resolved" {
            told.insert(json!([key[0], key[1], "resolved", time(&key[2]), time(&row[4])]).to_string());
        }
    }
    (rows, told)
}

/// What was sent on, each as often as it was.
fn heard(topics: &Topics) -> Vec<String> {
    let said = |body: &Value| {
        json!([body["rule"], body["key"], body["state"], body["firedAt"], body["resolvedAt"]]).to_string()
    };
    sent(topics).iter().map(said).collect()
}

/// Stored and not yet sent when the run is killed: the next one sends it, and that once.
#[test]
fn what_was_stored_and_not_sent_is_told_by_the_next_run() {
    for store in STORES {
        let (kept, topics, records) = (Kept::new(store), Topics::new(), walk(250));
        let (rows, told) = told(&records);
        assert_eq!((rows.len(), told.len()), (2, 4));
        let mut first = steady(&kept, &topics);
        topics.produce(&records);
        wait_until("an alert is stored", || first.has_ended() || kept.count("alerts") > 0);
        assert!(kept.count("alert_notices") > 0);
        assert_eq!(first.kill().code, None, "without the topic it waits");
        topics.create(&[(topics.name("alerts"), 6)]);
        for _ in 0..2 {
            let next = steady(&kept, &topics);
            wait_until("all is sent", || consumed::count(&topics, &[("alerts", 6)]) >= 4);
            topics.wait_for_lag(0);
            next.terminate();
            next.end().expect(0);
            let heard = heard(&topics);
            assert_eq!((heard.len(), heard.into_iter().collect::<BTreeSet<_>>()), (4, told.clone()));
            assert_table("alerts", &kept.tables()["alerts"], &rows);
            assert_eq!(kept.count("alert_notices"), 0);
        }
    }
}

/// Killed again and again, it stores and tells what one does that is left alone.
#[test]
fn killed_and_run_again_it_tells_the_same() {
    for store in STORES {
        let (kept, topics, records) = (Kept::new(store), topics(), walk(1_800));
        let (rows, told) = told(&records);
        assert!(rows.len() >= 12, "{}", rows.len());
        for part in records.chunks(records.len() / 3 + 1) {
            topics.produce(part);
            let (before, mut run) = (kept.count("alerts"), steady(&kept, &topics));
            wait_until("alerts come", || run.has_ended() || kept.count("alerts") > before);
            sleep(random_ms(300));
            assert_eq!(run.kill().code, None, "it was under way");
        }
        let last = steady(&kept, &topics);
        topics.wait_for_lag(0);
        last.terminate();
        last.end().expect(0);
        assert_table("alerts", &kept.tables()["alerts"], &rows);
        assert_eq!(heard(&topics).into_iter().collect::<BTreeSet<_>>(), told);
    }
}

/// More wait for a dead webhook than may: the oldest are left out, which is counted.
#[test]
fn what_is_left_out_is_counted() {
    let (kept, topics, port) = (Kept::new(Store::Sqlite), topics(), free_ports());
    let mut scene = Scene::default();
    for sensor in 0..1_100 {
        scene.send(MOVEMENTS, 3, &movement(sensor, "ann", "walker", (0.0, 0.0), 1_000));
    }
    scene.send(MOVEMENTS, 3, &movement(0, "ann", "walker", (0.0, 0.0), 20_000)).ts += 20_000;
    let any = [("figure", "sensors.travelers"), ("sensor", "*"), ("type", "*"), ("above", "0")];
    let run = rule(listening(kept.run(&topics), port), "any", &any).args(["--pipelines", "sensors"]);
    let dead = "http://127.0.0.1:9/";
    let run = run.args(["--set", &format!("alerts.webhook={dead}"), "--set", "alerts.wait=1s"]).start();
    topics.produce(&scene.records);
    wait_until("all have fired", || kept.count("alerts") == 1_100);
    // One may be on its way, beside the 1,000 that wait.
    wait_until("some are left out", || [99.0, 100.0].contains(&posts(port, dead)[2]));
    assert_eq!((posts(port, dead)[0], metric(port, "hexflow_alert_posts_total")), (0.0, 0.0));
    run.terminate();
    run.end().expect(0);
}
