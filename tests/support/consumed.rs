//! What lies in topics of a real Kafka, byte for byte.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Header, Headers, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Message, Offset, TopicPartitionList};

use super::kafka::{Topics, end_of};
use super::record::Record;

/// How long a broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A message as the broker has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Consumed {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) ts: i64,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) payload: Option<Vec<u8>>,
}

impl Consumed {
    /// The bytes of a record of a dump.
    pub(crate) fn of_record(record: &Record) -> Consumed {
        let bytes = |text: &String| text.as_bytes().to_vec();
        Consumed {
            partition: record.partition.cast_signed(),
            offset: record.offset.cast_signed(),
            ts: record.ts,
            headers: record.headers.iter().map(|(name, value)| (name.clone(), Some(bytes(value)))).collect(),
            key: record.key.as_ref().map(bytes),
            payload: record.payload.as_ref().map(bytes),
        }
    }

    fn of(message: &BorrowedMessage<'_>) -> Consumed {
        let headers = message.headers().into_iter().flat_map(Headers::iter);
        Consumed {
            partition: message.partition(),
            offset: message.offset(),
            ts: message.timestamp().to_millis().unwrap_or(0),
            headers: headers.map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect(),
            key: message.key().map(<[u8]>::to_vec),
            payload: message.payload().map(<[u8]>::to_vec),
        }
    }

    /// The last header of that name, as text.
    pub(crate) fn header(&self, name: &str) -> String {
        let value = self.headers.iter().rfind(|(header, _)| header == name).and_then(|(_, value)| value.clone());
        String::from_utf8(value.unwrap_or_else(|| panic!("no header {name}: {self:?}"))).expect("text")
    }

    /// As a record of a dump of `topic`.
    pub(crate) fn record(&self, topic: &str) -> Record {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        let header =
            |(name, value): &(String, Option<Vec<u8>>)| (name.clone(), text(value.as_deref().expect("a value")));
        Record {
            topic: topic.to_owned(),
            partition: u32::try_from(self.partition).expect("a partition"),
            offset: u64::try_from(self.offset).expect("an offset"),
            ts: self.ts,
            headers: self.headers.iter().map(header).collect(),
            key: self.key.as_deref().map(text),
            payload: self.payload.as_deref().map(text),
        }
    }
}

/// Produces messages as they are, but for their offsets, into a topic.
pub(crate) fn produce(topics: &Topics, topic: &str, messages: &[Consumed]) {
    let producer: BaseProducer = topics.client().create().expect("a producer");
    let name = topics.name(topic);
    for message in messages {
        let headers = message
            .headers
            .iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: value.as_ref() }));
        let mut record = BaseRecord::<[u8], [u8]>::to(&name).partition(message.partition).headers(headers);
        record = record.timestamp(message.ts);
        (record.key, record.payload) = (message.key.as_deref(), message.payload.as_deref());
        producer.send(record).map_err(|(error, _)| error).expect("it has room");
    }
    producer.flush(PATIENCE).expect("all are produced");
}

/// All that lies in a topic of so many partitions, by partition and offset.
pub(crate) fn read(topics: &Topics, topic: &str, partitions: i32) -> Vec<Consumed> {
    let mut client = topics.client();
    let consumer: BaseConsumer = client.set("group.id", "a reader").create().expect("a consumer");
    let name = topics.name(topic);
    let mut list = TopicPartitionList::new();
    let mut count = 0;
    for partition in 0..partitions {
        let end = end_of(&consumer, &name, partition);
        if end > 0 {
            count += usize::try_from(end).expect("an offset");
            list.add_partition_offset(&name, partition, Offset::Beginning).expect("a partition");
        }
    }
    consumer.assign(&list).expect("an assignment");
    // By place: a reader may be given a message twice.
    let mut read = BTreeMap::new();
    while read.len() < count {
        let message = consumer.poll(PATIENCE).expect("a message before long");
        let message = Consumed::of(&message.expect("a message"));
        read.insert((message.partition, message.offset), message);
    }
    read.into_values().collect()
}

/// How many messages lie in topics, by their names and numbers of partitions; none in those that are too new to tell.
pub(crate) fn count(topics: &Topics, of: &[(&str, i32)]) -> i64 {
    let consumer: BaseConsumer = topics.client().create().expect("a consumer");
    let ends =
        of.iter().flat_map(|(topic, partitions)| (0..*partitions).map(|partition| (topics.name(topic), partition)));
    ends.filter_map(|(name, partition)| Some(consumer.fetch_watermarks(&name, partition, PATIENCE).ok()?.1)).sum()
}
