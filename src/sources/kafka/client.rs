//! The consumer: its configuration, made of hexflow's own keys and of librdkafka's properties.
//!
//! Properties are those of consumers and producers both: each passes over what is the other's.

use std::thread;

use anyhow::{Context as _, Result, anyhow};
use rdkafka::ClientConfig;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;

use crate::cli::Failure;
use crate::config::{self, is_secret};

/// Properties that hexflow sets, and what to set instead.
const RESERVED: [(&str, &str); 13] = [
    ("bootstrap.servers", "set kafka.brokers instead"),
    ("metadata.broker.list", "set kafka.brokers instead"),
    ("group.id", "set kafka.group instead"),
    ("enable.auto.commit", "offsets are committed when every sink has made durable what is below them"),
    ("enable.auto.offset.store", "offsets are committed when every sink has made durable what is below them"),
    ("enable.partition.eof", "it means nothing here"),
    ("acks", "what is sent is acknowledged by all replicas"),
    ("request.required.acks", "what is sent is acknowledged by all replicas"),
    ("enable.idempotence", "the producer is always idempotent"),
    ("message.timeout.ms", "messages never expire: they are sent until they are acknowledged"),
    ("delivery.timeout.ms", "messages never expire: they are sent until they are acknowledged"),
    ("partitioner", "a key's CRC-32 names its partition"),
    ("transactional.id", "no transactions are used: what is sent twice is the same"),
];

/// What holds unless a property says otherwise. Compression of any kind and messages of any size are read.
const DEFAULTS: [(&str, &str); 6] = [
    ("partition.assignment.strategy", "cooperative-sticky"),
    ("auto.offset.reset", "earliest"),
    // What the library may keep ahead, KiB: beside what is in flight, this bounds a process's memory.
    ("queued.max.messages.kbytes", "65536"),
    // A broker answers when it has so much, bytes, or after so long, ms: were it to answer each record by itself, it would do
    // little else. An epoch is waited for longer.
    ("fetch.min.bytes", "65536"),
    ("fetch.wait.max.ms", "50"),
    ("reconnect.backoff.max.ms", "2000"),
];

/// A consumer's configuration; a usage error if a property is one that hexflow sets.
pub fn config(kafka: &config::Kafka) -> Result<ClientConfig, Failure> {
    let mut client = base(kafka, &DEFAULTS)?;
    client.set("group.id", &kafka.group);
    client.set("enable.auto.commit", "false").set("enable.auto.offset.store", "false");
    Ok(client)
}

/// What any client is made of: `defaults`, then the properties; a usage error if one is what hexflow sets.
pub fn base(kafka: &config::Kafka, defaults: &[(&str, &str)]) -> Result<ClientConfig, Failure> {
    let mut client = ClientConfig::new();
    client.set("client.id", "hexflow");
    for (name, value) in defaults {
        client.set(*name, *value);
    }
    for (name, value) in kafka.properties.expose() {
        if let Some((_, instead)) = RESERVED.iter().find(|(reserved, _)| *reserved == name) {
            return Err(Failure::usage(format!("kafka.properties.{name} is not to be set: {instead}")));
        }
        client.set(name, value);
    }
    client.set("bootstrap.servers", &kafka.brokers);
    Ok(client)
}

/// Makes a consumer; a usage error if the library does not know a property or its value. No broker is asked yet.
pub fn consumer<C: ConsumerContext>(client: &ClientConfig, context: C) -> Result<BaseConsumer<C>, Failure> {
    BaseConsumer::from_config_and_context(client, context).map_err(|error| refused("consumer", error))
}

/// Puts another consumer of `topics`, made of `client` as the first was, in the place of one.
pub fn replace<C: ConsumerContext + 'static>(
    consumer: &mut BaseConsumer<C>,
    client: &ClientConfig,
    context: C,
    topics: &[&str],
) -> Result<()> {
    let another = self::consumer(client, context).map_err(|_| anyhow!("cannot make another consumer"))?;
    another.subscribe(topics)?;
    close_aside(std::mem::replace(consumer, another))
}

/// Closes a consumer on a thread of its own, since that may wait for brokers.
pub fn close_aside<C: ConsumerContext + 'static>(old: BaseConsumer<C>) -> Result<()> {
    let close = move || drop(old);
    thread::Builder::new().name("old consumer".to_owned()).spawn(close).context("cannot start a thread")?;
    Ok(())
}

/// Why a client could not be made.
pub fn refused(what: &str, error: KafkaError) -> Failure {
    match error {
        KafkaError::ClientConfig(_, reason, name, _) => {
            // The reason may quote the value.
            let reason = if is_secret(&name) { "its value is refused".to_owned() } else { reason };
            Failure::usage(format!("kafka.properties.{name}: {reason}"))
        }
        error => Failure::Run(anyhow!("cannot make a Kafka {what}: {error}; check kafka.brokers and kafka.properties")),
    }
}

/// An error of a call, with what was asked of the brokers.
pub fn told<T>(what: &str, brokers: &str, result: Result<T, KafkaError>) -> Result<T> {
    result.with_context(|| format!("cannot {what} at {brokers}: check that the brokers can be reached"))
}
