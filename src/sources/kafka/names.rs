//! The topics that are read, by the names that they have on the brokers.

use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::rows::partition_of_stream;
use rdkafka::{Offset, TopicPartitionList};

/// The topics of the citylens pipeline.
pub const READ: [Topic; 3] = [Topic::CitylensTracks, Topic::CitylensFrames, Topic::CitylensDetections];

/// The names of the topics that are read.
#[derive(Clone, Debug)]
pub struct Names([String; 3]);

impl Names {
    /// Each topic's name after `prefix`.
    pub fn new(prefix: Option<&str>) -> Self {
        Names(READ.map(|topic| format!("{}{}", prefix.unwrap_or_default(), topic.name())))
    }

    /// All of them.
    pub fn all(&self) -> [&str; 3] {
        self.0.each_ref().map(String::as_str)
    }

    /// The name of a topic that is read.
    pub fn of(&self, topic: Topic) -> &str {
        READ.iter().position(|read| *read == topic).map_or(topic.name(), |at| &self.0[at])
    }

    /// The topic's name and the partition of a stream.
    pub fn place(&self, stream: u32) -> (&str, u32) {
        let (topic, partition) = partition_of_stream(stream);
        (self.of(topic), partition)
    }

    /// Whether a topic is read.
    pub fn reads(&self, topic: Topic) -> bool {
        READ.contains(&topic)
    }

    /// The topic of that name, if it is read.
    pub fn topic(&self, name: &str) -> Option<Topic> {
        self.0.iter().position(|known| known == name).map(|at| READ[at])
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
