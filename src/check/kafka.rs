//! Kafka: whether brokers answer, topics are there, the group can be used, and producing is allowed.

use std::thread::sleep;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer, DefaultConsumerContext};
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::{Offset, TopicPartitionList};

use super::Check;
use crate::cli::Failure;
use crate::config::Config;
use crate::sinks::kafka::courier::Courier;
use crate::sinks::kafka::{client as producing, failure, sink};
use crate::sources::kafka::client as consuming;
use crate::sources::kafka::names::Names;

/// How long the brokers may take to answer one question.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a producer may take to find out that it is not allowed to produce.
const SIGN_IN: Duration = Duration::from_secs(3);

/// Asks the configured brokers. Where none answers, that is all there is to say.
pub fn checks(config: &Config) -> Vec<Check> {
    let kafka = &config.kafka;
    let brokers = format!("Kafka at {}", kafka.brokers);
    let consumer = consuming::config(kafka).and_then(|client| consuming::consumer(&client, DefaultConsumerContext));
    let consumer: BaseConsumer<DefaultConsumerContext> = match consumer {
        Ok(consumer) => consumer,
        Err(failure) => return vec![Check::new(brokers, Err(told(failure)))],
    };
    let metadata = match consumer.fetch_metadata(None, PATIENCE) {
        Ok(metadata) => metadata,
        Err(error) => {
            let reason = format!("no broker answers: {error}; check kafka.brokers and kafka.properties");
            return vec![Check::new(brokers, Err(reason))];
        }
    };
    let names = Names::new(kafka.topic_prefix.as_deref());
    let read: Vec<String> = names.all().into_iter().map(str::to_owned).collect();
    let written = if kafka.send { sink::topics(config) } else { Vec::new() };
    let mut checks = vec![Check::new(brokers, Ok(answering(&metadata)))];
    checks.extend(read.iter().chain(&written).map(|name| topic(&metadata, name)));
    checks.push(Check::new(format!("consumer group {}", kafka.group), group(&consumer, &metadata, &read)));
    if kafka.send {
        checks.push(Check::new("producer", producer(config)));
    }
    checks
}

fn answering(metadata: &Metadata) -> String {
    match metadata.brokers().len() {
        1 => "1 broker answers".to_owned(),
        count => format!("{count} brokers answer"),
    }
}

fn found<'a>(metadata: &'a Metadata, name: &str) -> Option<&'a MetadataTopic> {
    metadata.topics().iter().find(|topic| topic.name() == name)
}

fn topic(metadata: &Metadata, name: &str) -> Check {
    let result = match found(metadata, name) {
        None => Err("there is none, or it may not be seen: run `hexflow migrate`, or allow Describe on it".to_owned()),
        Some(topic) => {
            let leaderless = topic.partitions().iter().filter(|partition| partition.leader() < 0).count();
            match (topic.partitions().len(), leaderless) {
                (count, 0) => Ok(format!("{count} partitions")),
                (count, some) => Err(format!("{some} of {count} partitions have no leader: look at the brokers")),
            }
        }
    };
    Check::new(format!("topic {name}"), result)
}

/// Asks for the group's offsets, as a run will.
fn group(
    consumer: &BaseConsumer<DefaultConsumerContext>,
    metadata: &Metadata,
    read: &[String],
) -> Result<String, String> {
    let mut list = TopicPartitionList::new();
    for topic in read.iter().filter_map(|name| found(metadata, name)) {
        for partition in topic.partitions() {
            list.add_partition(topic.name(), partition.id());
        }
    }
    if list.count() == 0 {
        return Ok("none of its topics is there".to_owned());
    }
    let offsets = consumer.committed_offsets(list, PATIENCE).map_err(|error| {
        format!("its offsets cannot be read: {error}; allow the user Read on the group, and look at the brokers")
    })?;
    let known = offsets.elements().iter().filter(|element| matches!(element.offset(), Offset::Offset(_))).count();
    Ok(format!("has come to an offset in {known} of {} partitions", offsets.count()))
}

/// Makes a producer, which asks the brokers at once for a number of its own. Whether each topic may be written to they say
/// only when it is.
fn producer(config: &Config) -> Result<String, String> {
    let courier = producing::config(&config.kafka).and_then(|client| Courier::new(&client)).map_err(told)?;
    let began = Instant::now();
    while began.elapsed() < SIGN_IN {
        if let Some((code, reason)) = courier.fatal() {
            let advice = failure::advice(code).unwrap_or("look at the brokers");
            return Err(format!("{reason}; {advice}"));
        }
        sleep(Duration::from_millis(100));
    }
    Ok("may produce".to_owned())
}

fn told(failure: Failure) -> String {
    match failure {
        Failure::Usage(message) => message,
        Failure::Run(error) => format!("{error:#}"),
        Failure::Stalled => "partitions stand still".to_owned(),
    }
}
