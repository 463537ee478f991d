//! The topics that are read, by the names that they have on the brokers.

use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::pipelines::Pipelines;
use hexflow_dataflows::rows::partition_of_stream;
use rdkafka::{Offset, TopicPartitionList};

/// The names of the topics that are read.
#[derive(Clone, Debug)]
pub struct Names(Vec<(Topic, String)>);

impl Names {
    /// The name after `prefix` of each topic that any pipeline reads.
    pub fn new(prefix: Option<&str>) -> Self {
        Names::of_pipelines(prefix, Pipelines::all())
    }

    /// The same of some pipelines.
    pub fn of_pipelines(prefix: Option<&str>, pipelines: Pipelines) -> Self {
        Names::of_topics(prefix, pipelines.topics())
    }

    /// The same of topics.
    pub fn of_topics(prefix: Option<&str>, topics: impl Iterator<Item = Topic>) -> Self {
        let name = |topic: Topic| format!("{}{}", prefix.unwrap_or_default(), topic.name());
        Names(topics.map(|topic| (topic, name(topic))).collect())
    }

    /// All of them.
    pub fn all(&self) -> Vec<&str> {
        self.0.iter().map(|(_, name)| name.as_str()).collect()
    }

    /// The topics.
    pub fn topics(&self) -> impl Iterator<Item = Topic> {
        self.0.iter().map(|(topic, _)| *topic)
    }

    /// The name of a topic that is read.
    pub fn of(&self, topic: Topic) -> &str {
        self.0.iter().find(|(read, _)| *read == topic).map_or(topic.name(), |(_, name)| name)
    }

    /// The topic's name and the partition of a stream.
    pub fn place(&self, stream: u32) -> (&str, u32) {
        let (topic, partition) = partition_of_stream(stream);
        (self.of(topic), partition)
    }

    /// Whether a topic is read.
    pub fn reads(&self, topic: Topic) -> bool {
        self.topics().any(|read| read == topic)
    }

    /// The topic of that name, if it is read.
    pub fn topic(&self, name: &str) -> Option<Topic> {
        self.0.iter().find(|(_, known)| known == name).map(|(topic, _)| *topic)
    }
}

impl Names {
    /// Offsets of partitions, as the client library takes them.
    pub fn offsets(&self, offsets: &[(u32, u64)]) -> TopicPartitionList {
        let mut list = TopicPartitionList::with_capacity(offsets.len());
        for &(stream, offset) in offsets {
            let (topic, partition) = partition_of_stream(stream);
            // Partitions are below 2^24, and offsets below 2^63, where any of these has come from.
            let _ = list.add_partition_offset(
                self.of(topic),
                partition.cast_signed(),
                Offset::Offset(offset.cast_signed()),
            );
        }
        list
    }

    /// Partitions, as the client library takes them.
    pub fn partitions(&self, streams: impl IntoIterator<Item = u32>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for stream in streams {
            let (topic, partition) = partition_of_stream(stream);
            list.add_partition(self.of(topic), partition.cast_signed());
        }
        list
    }
}
