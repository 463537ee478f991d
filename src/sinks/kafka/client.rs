//! The producer: its configuration, made of hexflow's own keys and of librdkafka's properties.

use rdkafka::ClientConfig;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::producer::ThreadedProducer;

use super::context::Context;
use crate::cli::Failure;
use crate::config;
use crate::sources::kafka::brokers::Brokers;
use crate::sources::kafka::client::{base, refused};

/// What holds unless a property says otherwise.
const DEFAULTS: [(&str, &str); 5] = [
    ("compression.type", "lz4"),
    ("linger.ms", "20"),
    // Together they bound what the library keeps; more is kept by the outbox until the library has room.
    ("queue.buffering.max.messages", "100000"),
    ("queue.buffering.max.kbytes", "65536"),
    ("reconnect.backoff.max.ms", "2000"),
];

/// What no property changes: on these rests that nothing is lost, put out of order or sent elsewhere.
const FIXED: [(&str, &str); 4] = [
    ("acks", "all"),
    ("enable.idempotence", "true"),
    // Never: what expired would be overtaken by what comes behind it.
    ("message.timeout.ms", "0"),
    // A key's CRC-32; one without a key always goes the same way too.
    ("partitioner", "consistent"),
];

/// The client's configuration; a usage error if a property is one that hexflow sets.
pub fn config(kafka: &config::Kafka) -> Result<ClientConfig, Failure> {
    let mut client = base(kafka, &DEFAULTS)?;
    for (name, value) in FIXED {
        client.set(name, value);
    }
    Ok(client)
}

/// Makes a producer; a usage error if the library does not know a property or its value. No broker is asked yet.
pub fn producer(client: &ClientConfig) -> Result<ThreadedProducer<Context>, Failure> {
    ThreadedProducer::from_config_and_context(&Brokers::told(client), Context::default())
        .map_err(|error| refused("producer", error))
}
