//! Moves the group's offsets to where a run was told to begin, before any of its members joins.
//!
//! The offsets are committed, not only sought: a partition that another process takes over later must not begin anew, and
//! least of all at the end of its log.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use hexflow_dataflows::rows::stream_of;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use super::client::told;
use super::from::From;
use super::names::Names;

/// How long the brokers may take to answer one question.
const PATIENCE: Duration = Duration::from_secs(15);

/// Commits for the consumer's group the offsets that `from` names, in turn.
///
/// Fails if the brokers do not answer, a topic or partition is not there, or the group has members that live.
pub fn begin<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    names: &Names,
    from: &[From],
    (brokers, group): (&str, &str),
) -> Result<()> {
    for from in from {
        let offsets = match from {
            From::Offset { topic, partition, offset } => one(consumer, names, brokers, (topic, *partition, *offset))?,
            From::Time(ms) => at_time(consumer, names, brokers, *ms)?,
            From::Earliest => watermarks(consumer, names, brokers, |(low, _)| low)?,
            From::Latest => watermarks(consumer, names, brokers, |(_, high)| high)?,
        };
        consumer.commit(&offsets, CommitMode::Sync).map_err(|error| match error.rdkafka_error_code() {
            Some(
                RDKafkaErrorCode::UnknownMemberId
                | RDKafkaErrorCode::IllegalGeneration
                | RDKafkaErrorCode::RebalanceInProgress
                | RDKafkaErrorCode::FencedInstanceId,
            ) => anyhow!("--from moves the offsets of group {group:?}, which has members that live: stop them first"),
            _ => anyhow!("cannot move the offsets of group {group:?} at {brokers}: {error}"),
        })?;
    }
    Ok(())
}

/// The partitions of all topics that are read.
fn partitions<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    names: &Names,
    brokers: &str,
) -> Result<Vec<(&'static str, String, i32, u32)>> {
    let mut all = Vec::new();
    for topic in names.topics() {
        let name = names.of(topic);
        let metadata = told("list topics", brokers, consumer.fetch_metadata(Some(name), PATIENCE))?;
        let found = metadata.topics().iter().find(|found| found.name() == name && found.error().is_none());
        let found = found.with_context(|| format!("there is no topic {name} at {brokers}: create it"))?;
        for partition in found.partitions() {
            let stream = stream_of(topic, partition.id().cast_unsigned());
            all.push((topic.name(), name.to_owned(), partition.id(), stream));
        }
    }
    Ok(all)
}

fn watermarks<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    names: &Names,
    brokers: &str,
    pick: impl Fn((i64, i64)) -> i64,
) -> Result<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (_, name, partition, _) in partitions(consumer, names, brokers)? {
        let marks = told("ask for offsets", brokers, consumer.fetch_watermarks(&name, partition, PATIENCE))?;
        list.add_partition_offset(&name, partition, Offset::Offset(pick(marks)))?;
    }
    Ok(list)
}

/// The first offsets of a time; where all records are older, the end.
fn at_time<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    names: &Names,
    brokers: &str,
    ms: i64,
) -> Result<TopicPartitionList> {
    let mut asked = TopicPartitionList::new();
    for (_, name, partition, _) in partitions(consumer, names, brokers)? {
        asked.add_partition_offset(&name, partition, Offset::Offset(ms))?;
    }
    let found = told("ask for offsets of a time", brokers, consumer.offsets_for_times(asked, PATIENCE))?;
    let mut list = TopicPartitionList::new();
    for found in found.elements() {
        let (topic, partition) = (found.topic(), found.partition());
        let offset = match found.offset() {
            Offset::Offset(offset) => offset,
            _ => told("ask for offsets", brokers, consumer.fetch_watermarks(topic, partition, PATIENCE))?.1,
        };
        list.add_partition_offset(topic, partition, Offset::Offset(offset))?;
    }
    Ok(list)
}

fn one<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    names: &Names,
    brokers: &str,
    (topic, partition, offset): (&str, u32, u64),
) -> Result<TopicPartitionList> {
    let all = partitions(consumer, names, brokers)?;
    let is_it = |(contract, name, number, _): &(&str, String, i32, u32)| {
        (topic == *contract || topic == name.as_str()) && number.cast_unsigned() == partition
    };
    let Some((_, _, _, stream)) = all.iter().find(|one| is_it(one)) else {
        bail!(
            "--from {topic}/{partition}:{offset}: no such partition is read; the topics are {}",
            names.all().join(", ")
        );
    };
    Ok(names.offsets(&[(*stream, offset)]))
}
