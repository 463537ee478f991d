//! The dead letters that wait: of each partition from where the group has come to up to the end as it was at first.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, DefaultConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Headers};
use rdkafka::metadata::Metadata;
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::cli::Failure;
use crate::config::Config;
use crate::outgoing::letter::{Letter, SUFFIX};
use crate::sources::kafka::client::{self, told};
use crate::sources::kafka::names::Names;

/// How long the brokers may take to answer one question, or to send the next letter.
const PATIENCE: Duration = Duration::from_secs(30);

/// What follows the run's group in the name of this one.
const GROUP_SUFFIX: &str = "-dlq";

/// Dead letters of some topics.
pub struct Waiting {
    consumer: BaseConsumer<DefaultConsumerContext>,
    metadata: Metadata,
    brokers: String,
    /// The topics that the letters came from, by the names that they have on the brokers.
    pub topics: Vec<String>,
}

/// A partition of dead letters, and which of them wait.
#[derive(Clone, Debug)]
pub struct Place {
    /// The topic that they came from.
    pub topic: String,
    partition: i32,
    next: i64,
    end: i64,
}

impl Waiting {
    /// Finds the topics; without a name all that a run reads. Fails if brokers do not answer or a topic is not there.
    pub fn open(config: &Config, named: &[String]) -> Result<Self, Failure> {
        let kafka = &config.kafka;
        let mut client = client::config(kafka)?;
        client.set("group.id", format!("{}{GROUP_SUFFIX}", kafka.group)).set("enable.partition.eof", "true");
        let consumer = client::consumer(&client, DefaultConsumerContext)?;
        let metadata = told("list topics", &kafka.brokers, consumer.fetch_metadata(None, PATIENCE))?;
        let prefix = kafka.topic_prefix.as_deref().unwrap_or_default();
        let topics: Vec<String> = match named {
            [] => Names::new(Some(prefix)).all().into_iter().map(str::to_owned).collect(),
            named => named.iter().map(|name| full(name, prefix)).collect(),
        };
        let waiting = Waiting { consumer, metadata, brokers: kafka.brokers.clone(), topics };
        for topic in &waiting.topics {
            let letters = format!("{topic}{SUFFIX}");
            if waiting.partitions(&letters) == 0 {
                let advice = "run `hexflow migrate` to make what is missing";
                return Err(Failure::Run(anyhow!("there is no topic {letters} at {}: {advice}", waiting.brokers)));
            }
        }
        Ok(waiting)
    }

    /// The number of a topic's partitions; none if it is not there.
    pub fn partitions(&self, name: &str) -> u32 {
        let topic = self.metadata.topics().iter().find(|topic| topic.name() == name && topic.error().is_none());
        topic.map_or(0, |topic| u32::try_from(topic.partitions().len()).unwrap_or(u32::MAX))
    }

    /// The partitions in which letters wait.
    pub fn places(&self) -> Result<Vec<Place>> {
        let mut list = TopicPartitionList::new();
        for topic in &self.topics {
            let letters = format!("{topic}{SUFFIX}");
            for partition in 0..self.partitions(&letters).cast_signed() {
                list.add_partition(&letters, partition);
            }
        }
        let committed = told("ask for offsets", &self.brokers, self.consumer.committed_offsets(list, PATIENCE))?;
        let mut places = Vec::new();
        for element in committed.elements() {
            let (letters, partition) = (element.topic(), element.partition());
            let marks = self.consumer.fetch_watermarks(letters, partition, PATIENCE);
            let (low, end) = told("ask for offsets", &self.brokers, marks)?;
            let next = if let Offset::Offset(offset) = element.offset() { offset.max(low) } else { low };
            if next < end {
                let topic = letters.strip_suffix(SUFFIX).unwrap_or(letters).to_owned();
                places.push(Place { topic, partition, next, end });
            }
        }
        Ok(places)
    }

    /// Reads the letters of a place one after the other.
    pub fn read(&self, place: &Place, mut each: impl FnMut(&BorrowedMessage<'_>) -> Result<()>) -> Result<()> {
        self.consumer.assign(&self.offset(place, place.next)?)?;
        let mut since = Instant::now();
        loop {
            match self.consumer.poll(Duration::from_secs(1)) {
                Some(Ok(message)) if message.offset() >= place.end => return Ok(()),
                Some(Ok(message)) => {
                    each(&message)?;
                    if message.offset() + 1 >= place.end {
                        return Ok(());
                    }
                    since = Instant::now();
                }
                Some(Err(KafkaError::PartitionEOF(_))) => return Ok(()),
                Some(Err(error)) if since.elapsed() > PATIENCE => {
                    return Err(error).with_context(|| self.what(place));
                }
                None if since.elapsed() > PATIENCE => bail!("{}: no answer; try again later", self.what(place)),
                Some(Err(_)) | None => {}
            }
        }
    }

    /// The group has come to `next` in a place: acknowledged when this returns.
    pub fn commit(&self, place: &Place, next: i64) -> Result<()> {
        let committed = self.consumer.commit(&self.offset(place, next)?, CommitMode::Sync);
        committed.with_context(|| format!("cannot commit: {}; these letters will be sent once more", self.what(place)))
    }

    fn offset(&self, place: &Place, offset: i64) -> Result<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&format!("{}{SUFFIX}", place.topic), place.partition, Offset::Offset(offset))?;
        Ok(list)
    }

    fn what(&self, place: &Place) -> String {
        format!("topic {}{SUFFIX} partition {} at {}", place.topic, place.partition, self.brokers)
    }
}

/// The name that a topic has on the brokers, by whichever of its names.
fn full(name: &str, prefix: &str) -> String {
    let name = name.strip_suffix(SUFFIX).unwrap_or(name);
    if name.starts_with(prefix) { name.to_owned() } else { format!("{prefix}{name}") }
}

/// The letter that a message is.
pub fn letter<'a>(message: &'a BorrowedMessage<'_>) -> Letter<'a> {
    let headers = message.headers().into_iter().flat_map(BorrowedHeaders::iter);
    Letter::of(headers.map(|header| (header.key, header.value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_may_be_named_in_any_way() {
        for name in ["a.b", "a.b.dlq", "p-a.b", "p-a.b.dlq"] {
            assert_eq!(full(name, "p-"), "p-a.b");
        }
        assert_eq!(full("a.b.dlq", ""), "a.b");
    }
}
