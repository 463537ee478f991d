//! Catches topics that are made otherwise than the contract has them, or touched although they are there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::support::kafka::{Topics, shared};
use crate::support::record::{AUDIT, CLUSTERIZATION, DETECTIONS, FRAMES, METADATA, TRACKS};
use crate::support::run::{Output, Run};

const ONLY: [&str; 2] = ["--only", "topics"];

fn migrate(topics: &Topics, args: &[&str]) -> Output {
    topics.verb("migrate", &[&ONLY, args].concat()).end().expect(0)
}

/// The topics of the prefix, and their partitions.
fn there(topics: &Topics) -> BTreeMap<String, usize> {
    let consumer: BaseConsumer = topics.client().create().expect("a consumer");
    let metadata = consumer.fetch_metadata(None, Duration::from_secs(30)).expect("metadata");
    let named = metadata.topics().iter().filter_map(|topic| Some((topic.name().strip_prefix(&topics.prefix)?, topic)));
    named.map(|(name, topic)| (name.to_owned(), topic.partitions().len())).collect()
}

#[test]
fn all_are_made_once_and_what_differs_is_told_and_left() {
    let topics = Topics::none_at(shared());
    topics.create(&[(topics.name("movements"), 5)]);
    let plan = migrate(&topics, &["--dry-run"]);
    assert_eq!(plan.stdout.matches("would be made").count(), 24, "{plan:?}");
    assert!(plan.stdout.contains("--partitions 24") && plan.stdout.contains("retention.ms=604800000"), "{plan:?}");
    assert_eq!(there(&topics), BTreeMap::from([("movements".to_owned(), 5)]));

    let made = migrate(&topics, &[]).says(&["movements: it has 5 partitions, not 12", "retention.ms is"]);
    assert_eq!(made.stdout.matches(": made").count(), 24, "{made:?}");
    let now = there(&topics);
    for (name, partitions) in [(TRACKS, 24), (FRAMES, 24), (DETECTIONS, 24), (METADATA, 12), (CLUSTERIZATION, 12)] {
        assert_eq!((now[name], now[&format!("{name}.dlq")]), (partitions, 6), "{name}");
    }
    assert_eq!((now[AUDIT], now["movements"], now["movements.dlq"]), (6, 5, 6));
    assert_eq!(now.len(), 25);

    let again = migrate(&topics, &[]);
    assert_eq!((again.stdout.matches(": there\n").count(), again.stdout.matches("left alone").count()), (24, 1));
    assert_eq!(there(&topics), now);
}

#[test]
fn without_brokers_it_says_so_before_long() {
    let began = Instant::now();
    let run = Run::new("migrate").args(ONLY).args(["--set", "kafka.brokers=127.0.0.1:9"]);
    run.end().expect(1).says(&["127.0.0.1:9", "kafka.brokers"]);
    assert!(began.elapsed() < Duration::from_secs(30));
}
