//! What the client library calls back on the archiver: partitions that go, brokers that are lost and found.

use std::sync::{Mutex, PoisonError};

use hexflow_dataflows::rows::stream_of;
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;

use crate::fault::Fault;
use crate::sources::kafka::brokers::Brokers;
use crate::sources::kafka::errors::{heard, log};
use crate::sources::kafka::names::Names;
use crate::sources::kafka::watch::Watch;

/// The archiver's side of its consumer.
pub struct Context {
    /// What the consumer is made of.
    pub client: ClientConfig,
    /// Whether its library knows brokers.
    pub brokers: Brokers,
    /// The names of the topics.
    pub names: Names,
    /// Whether the brokers are there.
    pub watch: Watch,
    /// Ends the run.
    pub fault: Fault,
    /// Partitions that were taken from us and are still to be forgotten.
    gone: Mutex<Vec<u32>>,
}

impl Context {
    /// That of a consumer of these topics, made of `client`.
    pub fn new(client: &ClientConfig, names: Names, watch: Watch, fault: Fault) -> Self {
        Context {
            client: Brokers::told(client),
            brokers: Brokers::default(),
            names,
            watch,
            fault,
            gone: Mutex::default(),
        }
    }

    /// The partitions that were taken from us since it was last asked.
    pub fn take_gone(&self) -> Vec<u32> {
        std::mem::take(&mut *self.gone.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(&self.watch, level, facility, message);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        self.brokers.hear(statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        heard(&self.watch, &self.fault, &error, reason);
    }
}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(list) = rebalance {
            let elements = list.elements();
            let streams = elements.iter().filter_map(|gone| {
                Some(stream_of(self.names.topic(gone.topic())?, u32::try_from(gone.partition()).ok()?))
            });
            self.gone.lock().unwrap_or_else(PoisonError::into_inner).extend(streams);
        }
    }

    fn post_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(_) => self.watch.found(),
            Rebalance::Revoke(_) => {}
            Rebalance::Error(error) => self.watch.say(&format!("partitions could not be shared out: {error}")),
        }
    }
}
