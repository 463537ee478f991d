//! A real Kafka: one broker for all tests of this program, topics of its own for each.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::pin::pin;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::place::Place;
use super::record::{DETECTIONS, FRAMES, Record, TRACKS};
use super::run::Run;

/// Partitions of each topic.
const PARTITIONS: i32 = 24;

/// How long a broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A broker. It ends when its standard input does, so also when this program is killed.
pub(crate) struct Broker {
    pub(crate) address: String,
    _child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    _dir: tempfile::TempDir,
}

impl Broker {
    /// Starts one; tests that stop theirs have one of their own.
    pub(crate) fn start() -> Broker {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let port = free_ports();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/kafka");
        let mut command = Command::new(script);
        command.arg("serve").arg(dir.path()).arg(port.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a script of ours");
        let orders = child.stdin.take().expect("piped");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        let address = format!("127.0.0.1:{port}");
        let mut broker = Broker { address, _child: child, orders, answers, _dir: dir };
        assert_eq!(broker.answer(), "ready", "what is wrong stands above");
        broker
    }

    /// Has it do something, and waits until it is done.
    pub(crate) fn order(&mut self, order: &str) {
        writeln!(self.orders, "{order}").expect("a script of ours");
        assert_eq!(self.answer(), format!("{order} done"));
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("a pipe");
        line.trim_end().to_owned()
    }
}

/// The first of two ports that are free.
fn free_ports() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let first = 22_000 + std::process::id() % 400 * 20;
    loop {
        let port = first + NEXT.fetch_add(2, Ordering::Relaxed);
        let port = u16::try_from(port).expect("a port");
        if (port..port + 2).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return port;
        }
    }
}

/// The broker of all tests that leave it running.
fn shared() -> &'static str {
    static BROKER: OnceLock<Broker> = OnceLock::new();
    &BROKER.get_or_init(Broker::start).address
}

/// The three topics and a group, apart from those of other tests.
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
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("t{}-", NEXT.fetch_add(1, Ordering::Relaxed));
        let topics = Topics { broker: broker.to_owned(), prefix };
        let admin: AdminClient<DefaultClientContext> = topics.client().create().expect("a client");
        let names = [TRACKS, FRAMES, DETECTIONS].map(|topic| topics.name(topic));
        let new = names.each_ref().map(|name| NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(1)));
        for made in block_on(admin.create_topics(&new, &AdminOptions::new())).expect("an answer") {
            made.expect("a topic");
        }
        topics
    }

    fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", &self.broker).set("group.id", self.group());
        client
    }

    pub(crate) fn name(&self, topic: &str) -> String {
        format!("{}{topic}", self.prefix)
    }

    fn group(&self) -> String {
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

    /// Of each partition that has records: its topic, number, the offset that the group has committed, and its end.
    pub(crate) fn offsets(&self) -> BTreeMap<(String, i32), (i64, i64)> {
        let consumer: BaseConsumer = self.client().create().expect("a consumer");
        let mut list = TopicPartitionList::new();
        for topic in [TRACKS, FRAMES, DETECTIONS] {
            list.add_partition_range(&self.name(topic), 0, PARTITIONS - 1);
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

/// The end of a partition.
fn end_of(consumer: &BaseConsumer, topic: &str, partition: i32) -> i64 {
    patiently(|| consumer.fetch_watermarks(topic, partition, PATIENCE)).1
}

/// What a broker answers; a partition may be too new to have a leader, and a group to have a coordinator.
fn patiently<T>(ask: impl Fn() -> Result<T, KafkaError>) -> T {
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
