//! Catches a dead letter in Kafka that is not byte for byte its record, is lost, or cannot be sent back.

use serde_json::Value;

use crate::oracle::Oracle;
use crate::support::broken;
use crate::support::consumed::{self, Consumed};
use crate::support::judge::assert_stored;
use crate::support::kafka::{Topics, end_of};
use crate::support::place::Place;
use crate::support::record::{DETECTIONS, FRAMES, Record, TRACKS};
use crate::support::scene::{Scene, frame};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};

const DEAD_LETTER: [&str; 2] = ["--set", "on_malformed=dead_letter"];

fn topics() -> Topics {
    let topics = Topics::new();
    topics.create_dead_letters();
    topics
}

/// Runs until all is committed.
fn settle(topics: &Topics, place: &Place) {
    let run = topics.run(place).args(DEAD_LETTER).start();
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0);
}

fn letters(topics: &Topics, topic: &str) -> Vec<Consumed> {
    consumed::read(topics, &format!("{topic}.dlq"), 6)
}

/// What a letter is the letter of, by what it says: the last four headers are those that were added.
fn original(topics: &Topics, topic: &str, letter: &Consumed) -> (Consumed, String) {
    let mut record = letter.clone();
    let added: Vec<String> = record.headers.split_off(record.headers.len() - 4).into_iter().map(|(n, _)| n).collect();
    assert_eq!(added, ["error", "topic", "partition", "offset"]);
    assert_eq!(letter.header("topic"), topics.name(topic));
    record.partition = letter.header("partition").parse().expect("a number");
    record.offset = letter.header("offset").parse().expect("a number");
    (record, letter.header("error"))
}

/// What a topic's letters are the letters of, by partition and offset.
fn originals(topics: &Topics, topic: &str) -> Vec<Consumed> {
    let mut all: Vec<_> = letters(topics, topic).iter().map(|letter| original(topics, topic, letter).0).collect();
    all.sort();
    all
}

#[test]
fn every_kind_is_set_aside_as_it_came() {
    let (scene, broken) = broken::all();
    let mut oracle = Oracle::setting_aside();
    oracle.replay(&scene.records);
    let (place, topics) = (Place::new(), topics());
    topics.produce(&scene.records);
    settle(&topics, &place);
    assert_stored(&place, &oracle);
    for topic in [TRACKS, FRAMES, DETECTIONS] {
        let of_topic = broken.iter().filter(|broken| broken.record.topic == topic);
        let mut expected: Vec<_> = of_topic.clone().map(|broken| Consumed::of_record(&broken.record)).collect();
        expected.sort();
        assert_eq!(originals(&topics, topic), expected);
        for letter in letters(&topics, topic) {
            let (record, error) = original(&topics, topic, &letter);
            let is_it = |r: &Record| Consumed::of_record(r) == record;
            let broken = of_topic.clone().find(|broken| is_it(&broken.record)).expect("one of them");
            assert!(error.contains(broken.names), "{error}");
        }
    }
}

/// Bytes that are no text, nothing at all, and nothing but empty.
#[test]
fn whatever_its_bytes() {
    let (place, topics) = (Place::new(), topics());
    let valid = Scene::vehicles(1).records;
    topics.produce(&valid);
    let mut odd = Vec::new();
    let kinds: [Option<&[u8]>; 4] = [Some(b"\xff\xfe\0\x80"), Some(b""), None, Some("not JSON: \u{1f6a2}".as_bytes())];
    for (n, (key, payload)) in (1..).zip(kinds.into_iter().zip(kinds.into_iter().cycle().skip(1))) {
        let mut message = Consumed::of_record(&valid[1]);
        message.offset = n;
        message.headers.push(("binary".to_owned(), Some(vec![0xff, 0, 0xc0])));
        message.headers.push(("null".to_owned(), None));
        message.headers.push(("empty".to_owned(), Some(Vec::new())));
        message.headers.push(("error".to_owned(), Some(b"its own".to_vec())));
        (message.key, message.payload) = (key.map(<[u8]>::to_vec), payload.map(<[u8]>::to_vec));
        odd.push(message);
    }
    let mut header = odd[0].clone();
    header.offset = 5;
    header.payload = Some(valid[1].payload.clone().expect("a payload").into_bytes());
    header.headers[1].1 = Some(vec![0xff]); // the request id
    odd.push(header);
    consumed::produce(&topics, FRAMES, &odd);
    settle(&topics, &place);
    odd.sort();
    assert_eq!(originals(&topics, FRAMES), odd);
    let (oracle, _) = Oracle::of(&valid);
    assert_stored(&place, &oracle);
    // And back again, byte for byte, to where they were.
    let sent = topics.verb("dlq", &["replay", "--summary", "json"]).summary();
    assert_eq!(sent["sent"], 5, "{sent}");
    let back: Vec<_> = consumed::read(&topics, FRAMES, 24).into_iter().filter(|m| m.offset > 5).collect();
    let plain = |messages: &[Consumed]| -> Vec<Consumed> {
        let mut plain: Vec<_> = messages.iter().map(|m| Consumed { offset: 0, ..m.clone() }).collect();
        plain.sort();
        plain
    };
    assert_eq!(plain(&back), plain(&odd));
}

/// What the group of those that were sent back has still to send.
fn lag(topics: &Topics, topic: &str) -> i64 {
    let mut client = topics.client();
    let consumer: BaseConsumer =
        client.set("group.id", format!("{}-dlq", topics.group())).create().expect("a consumer");
    let name = topics.name(&format!("{topic}.dlq"));
    let mut list = TopicPartitionList::new();
    list.add_partition_range(&name, 0, 5);
    let committed = consumer.committed_offsets(list, std::time::Duration::from_secs(30)).expect("offsets");
    let offset = |offset: Offset| if let Offset::Offset(offset) = offset { offset } else { 0 };
    committed.elements().iter().map(|e| end_of(&consumer, &name, e.partition()) - offset(e.offset())).sum()
}

/// What an older version could not understand is sent back, once, and goes through.
#[test]
fn letters_that_are_understood_by_now_go_through() {
    let records = Scene::vehicles(30).records;
    let (oracle, _) = Oracle::of(&records);
    let (place, topics) = (Place::new(), topics());
    let (aside, others): (Vec<Record>, Vec<Record>) =
        records.into_iter().partition(|record| record.topic == FRAMES && record.partition % 3 == 0);
    topics.produce(&others);
    let set_aside: Vec<Consumed> = aside
        .iter()
        .map(|record| {
            let mut letter = Consumed::of_record(record);
            let (partition, offset) = (record.partition.to_string(), record.offset.to_string());
            for (name, value) in [
                ("error", "unknown"),
                ("topic", topics.name(FRAMES).as_str()),
                ("partition", &partition),
                ("offset", &offset),
            ] {
                letter.headers.push((name.to_owned(), Some(value.as_bytes().to_vec())));
            }
            letter.partition %= 6;
            letter
        })
        .collect();
    consumed::produce(&topics, &format!("{FRAMES}.dlq"), &set_aside);
    settle(&topics, &place);

    let listed = topics.verb("dlq", &["list", FRAMES, "--summary", "json"]).summary();
    assert_eq!(listed["waiting"], set_aside.len(), "{listed}");
    let mut keys: Vec<&str> =
        listed["letters"].as_array().expect("letters").iter().filter_map(|l| l["key"].as_str()).collect();
    keys.sort_unstable();
    let mut expected: Vec<&str> = aside.iter().filter_map(|record| record.key.as_deref()).collect();
    expected.sort_unstable();
    assert_eq!(keys, expected);
    let plan = topics.verb("dlq", &["replay", "--dry-run"]).end().expect(0);
    assert_eq!(plan.stdout.matches("unknown").count(), set_aside.len(), "{plan:?}");

    let replay = || -> Value { topics.verb("dlq", &["replay", "--summary", "json"]).summary() };
    assert_eq!(replay()["sent"], set_aside.len());
    assert_eq!(lag(&topics, FRAMES), 0);
    assert_eq!(replay()["sent"], 0, "each is sent back once");
    settle(&topics, &place);
    assert_stored(&place, &oracle);
}

/// A record whose track has no mapping is no dead letter: it waits.
#[test]
fn orphans_still_stall() {
    let mut scene = Scene::vehicles(24);
    scene.send(FRAMES, 3, &frame("f-orphan", "t-nowhere", 0));
    let (oracle, _) = Oracle::of(&scene.records);
    let (place, topics) = (Place::new(), topics());
    topics.produce(&scene.records);
    let run = topics.run(&place).args(DEAD_LETTER).start();
    topics.wait_for_lag(1);
    run.terminate();
    run.end().expect(0);
    assert_eq!(letters(&topics, FRAMES), []);
    assert_stored(&place, &oracle);
}

#[test]
fn a_topic_that_is_not_there_is_named() {
    let topics = Topics::new();
    topics.verb("dlq", &["list"]).end().expect(1).says(&[".dlq", "hexflow migrate"]);
    topics.verb("dlq", &["replay", "nowhere"]).end().expect(1).says(&["nowhere.dlq"]);
}
