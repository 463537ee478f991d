//! A real Kafka: one broker for all tests of this program, topics of its own for each.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::metadata::MetadataTopic;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::place::{Place, shown};
use super::ports::free_ports;
use super::record::{AUDIT, CAMERAS, CLUSTERIZATION, DETECTIONS, FRAMES, METADATA, MOVEMENTS, Record, TRACKS};
use super::run::Run;
use super::served::Served;

/// The topics that are read, and their partitions.
pub(crate) const READ: [(&str, i32); 5] =
    [(TRACKS, 24), (FRAMES, 24), (DETECTIONS, 24), (MOVEMENTS, 12), (CAMERAS, 12)];

/// How long a broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A broker.
pub(crate) struct Broker {
    pub(crate) address: String,
    served: Served,
    _dir: tempfile::TempDir,
}

impl Broker {
    /// Starts one; tests that stop theirs have one of their own.
    pub(crate) fn start() -> Broker {
        let (dir, port) = (tempfile::tempdir().expect("a temporary folder"), free_ports());
        let served = Served::start("kafka", &[&shown(dir.path()), &port.to_string()]);
        Broker { address: format!("127.0.0.1:{port}"), served, _dir: dir }
    }

    /// Has it do something, and waits until it is done.
    pub(crate) fn order(&mut self, order: &str) {
        self.served.order(order);
    }
}

static SHARED: OnceLock<Broker> = OnceLock::new();

/// The broker of all tests that leave it running.
pub(crate) fn shared() -> &'static str {
    &SHARED.get_or_init(Broker::start).address
}

/// The topics and a group, apart from those of other tests.
pub(crate) struct Topics {
    pub(crate) broker: String,
    pub(crate) prefix: String,
}

impl Topics {
    /// On the broker of all tests.
    pub(crate) fn new() -> Topics {
        Topics::at(shared())
    }

    /// On a broker.
    pub(crate) fn at(broker: &str) -> Topics {
        let topics = Topics::none_at(broker);
        topics.create_read();
        topics.create(&[(METADATA, 12), (CLUSTERIZATION, 12), (AUDIT, 6)].map(|(topic, n)| (topics.name(topic), n)));
        topics
    }

    /// Topics that are still to be made.
    pub(crate) fn none_at(broker: &str) -> Topics {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Topics { broker: broker.to_owned(), prefix: format!("t{}-", NEXT.fetch_add(1, Ordering::Relaxed)) }
    }

    /// Makes the topics that are read.
    pub(crate) fn create_read(&self) {
        self.create(&READ.map(|(topic, partitions)| (self.name(topic), partitions)));
    }

    /// Makes topics, by their names and numbers of partitions.
    pub(crate) fn create(&self, topics: &[(String, i32)]) {
        let admin: AdminClient<DefaultClientContext> = self.client().create().expect("a client");
        let new = topics.iter().map(|(name, partitions)| NewTopic::new(name, *partitions, TopicReplication::Fixed(1)));
        for made in block_on(admin.create_topics(&new.collect::<Vec<_>>(), &AdminOptions::new())).expect("an answer") {
            made.expect("a topic");
        }
        // Brokers tell of it a little later.
        let deadline = Instant::now() + PATIENCE;
        loop {
            let metadata = patiently(|| admin.inner().fetch_metadata(None, PATIENCE));
            let is_there = |name: &str| metadata.topics().iter().any(|topic| topic.name() == name);
            if topics.iter().all(|(name, _)| is_there(name)) {
                return;
            }
            assert!(Instant::now() < deadline, "{topics:?} are there");
            sleep(Duration::from_millis(50));
        }
    }

    /// Deletes a topic.
    pub(crate) fn delete(&self, topic: &str) {
        let admin: AdminClient<DefaultClientContext> = self.client().create().expect("a client");
        let name = self.name(topic);
        for gone in block_on(admin.delete_topics(&[&name], &AdminOptions::new())).expect("an answer") {
            gone.expect("it was there");
        }
    }

    /// The dead letters of the topics that are read.
    pub(crate) fn create_dead_letters(&self) {
        self.create(&READ.map(|(topic, _)| (format!("{}.dlq", self.name(topic)), 6)));
    }

    pub(crate) fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", &self.broker).set("group.id", self.group());
        client
    }

    pub(crate) fn name(&self, topic: &str) -> String {
        format!("{}{topic}", self.prefix)
    }

    pub(crate) fn group(&self) -> String {
        format!("{}group", self.prefix)
    }

    /// Produces records into the partitions that they name, in the order of their offsets. The offsets that they get are
    /// their numbers in their partition.
    pub(crate) fn produce(&self, records: &[Record]) {
        let mut client = self.client();
        let producer: BaseProducer =
            client.set("linger.ms", "5").set("enable.idempotence", "true").create().expect("a producer");
        let mut records: Vec<&Record> = records.iter().collect();
        records.sort_by_key(|record| record.offset);
        for record in records {
            let name = self.name(&record.topic);
            let payload = record.payload.as_ref().map(|payload| payload.as_bytes().to_vec());
            self.send(&producer, &name, record, payload.as_deref());
        }
        producer.flush(PATIENCE).expect("all are produced");
    }

    /// Produces a record with another payload, whatever its bytes.
    pub(crate) fn produce_bytes(&self, record: &Record, payload: &[u8]) {
        let producer: BaseProducer = self.client().create().expect("a producer");
        self.send(&producer, &self.name(&record.topic), record, Some(payload));
        producer.flush(PATIENCE).expect("it is produced");
    }

    fn send(&self, producer: &BaseProducer, name: &str, record: &Record, payload: Option<&[u8]>) {
        let headers = record
            .headers
            .iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(value) }));
        let partition = i32::try_from(record.partition).expect("a partition");
        let mut message = BaseRecord::<str, [u8]>::to(name).partition(partition).timestamp(record.ts).headers(headers);
        message.key = record.key.as_deref();
        message.payload = payload;
        while let Err((error, unsent)) = producer.send(message) {
            assert!(error.to_string().contains("QueueFull") || error.to_string().contains("Queue full"), "{error}");
            producer.poll(Duration::from_millis(10));
            message = unsent;
        }
        producer.poll(Duration::ZERO);
    }

    /// `run` on these topics into the place's store, with the summary as JSON.
    pub(crate) fn run(&self, place: &Place) -> Run {
        self.run_into(place, &format!("sqlite:{}", place.database().display()))
    }

    /// `run` into another store.
    pub(crate) fn run_into(&self, place: &Place, store: &str) -> Run {
        let objects = format!("object_store.url=file://{}", place.objects().display());
        let mut run = Run::new("run").args(["--summary", "json", "--store", store, "--set", &objects]);
        for (key, value) in [
            ("kafka.brokers", self.broker.as_str()),
            ("kafka.group", &self.group()),
            ("kafka.topic_prefix", &self.prefix),
            // What a killed member had is shared out again when its session is over.
            ("kafka.properties.session.timeout.ms", "6000"),
            ("kafka.properties.heartbeat.interval.ms", "500"),
        ] {
            run = run.args(["--set", &format!("{key}={value}")]);
        }
        run
    }

    /// Any verb on these brokers and topics.
    pub(crate) fn verb(&self, verb: &str, args: &[&str]) -> Run {
        let mut run = Run::new(verb).args(args);
        for (key, value) in
            [("brokers", self.broker.as_str()), ("group", &self.group()), ("topic_prefix", &self.prefix)]
        {
            run = run.args(["--set", &format!("kafka.{key}={value}")]);
        }
        run
    }

    /// Of each partition that has records: its topic, number, the offset that the group has committed, and its end.
    pub(crate) fn offsets(&self) -> BTreeMap<(String, i32), (i64, i64)> {
        let consumer: BaseConsumer = self.client().create().expect("a consumer");
        let mut list = TopicPartitionList::new();
        for (topic, partitions) in READ {
            list.add_partition_range(&self.name(topic), 0, partitions - 1);
        }
        let committed = patiently(|| consumer.committed_offsets(list.clone(), PATIENCE));
        let mut offsets = BTreeMap::new();
        for partition in committed.elements() {
            let (name, number) = (partition.topic(), partition.partition());
            let end = end_of(&consumer, name, number);
            let committed = if let Offset::Offset(offset) = partition.offset() { offset } else { 0 };
            if end > 0 {
                offsets.insert((name[self.prefix.len()..].to_owned(), number), (committed, end));
            }
        }
        offsets
    }

    /// The records that the group has still to commit.
    pub(crate) fn lag(&self) -> i64 {
        self.offsets().values().map(|(committed, end)| end - committed).sum()
    }

    /// Waits until so many records are still to be committed, and no fewer.
    #[track_caller]
    pub(crate) fn wait_for_lag(&self, lag: i64) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.lag() > lag && Instant::now() < deadline {
            sleep(Duration::from_millis(100));
        }
        let behind: Vec<_> = self.offsets().into_iter().filter(|(_, (committed, end))| committed < end).collect();
        assert_eq!(self.lag(), lag, "committed and end of what is behind: {behind:?}");
    }
}

/// Each partition costs the broker memory: those of all tests together are more than it bears.
impl Drop for Topics {
    fn drop(&mut self) {
        let is_shared = SHARED.get().is_some_and(|shared| shared.address == self.broker);
        let Ok(admin) = self.client().create::<AdminClient<DefaultClientContext>>() else { return };
        // What cannot be deleted goes with the broker.
        if is_shared && let Ok(metadata) = admin.inner().fetch_metadata(None, PATIENCE) {
            let ours = metadata.topics().iter().map(MetadataTopic::name).filter(|name| name.starts_with(&self.prefix));
            drop(block_on(admin.delete_topics(&ours.collect::<Vec<_>>(), &AdminOptions::new())));
        }
    }
}

/// The end of a partition, which may be too new to have a leader.
pub(crate) fn end_of(consumer: &BaseConsumer, topic: &str, partition: i32) -> i64 {
    patiently(|| consumer.fetch_watermarks(topic, partition, PATIENCE)).1
}

/// Asks until there is an answer: a broker that has just come up has none at first.
fn patiently<T>(mut ask: impl FnMut() -> KafkaResult<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        sleep(Duration::from_millis(50));
    }
}

/// Waits for what the client does on threads of its own.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => return done,
            Poll::Pending => sleep(Duration::from_millis(5)),
        }
    }
}

/// The records with offsets that count from 0 in each partition, as a topic made anew gives them.
pub(crate) fn renumbered(records: &[Record]) -> Vec<Record> {
    let mut records = records.to_vec();
    records.sort_by_key(|record| record.offset);
    let mut next: BTreeMap<(String, u32), u64> = BTreeMap::new();
    for record in &mut records {
        let next = next.entry((record.topic.clone(), record.partition)).or_default();
        record.offset = *next;
        *next += 1;
    }
    records
}
