//! Sends on what rows lead to, and the records that are set aside.

use anyhow::Result;
use hexflow_operators::upsert::Tally;

use super::Outbox;
use crate::cli::Failure;
use crate::config::{Config, OnMalformed};
use crate::outgoing::{Maker, Messages, letter};
use crate::sinks::{Rows, Sink};
use crate::sources::kafka::names::Names;

/// Sends messages to the configured brokers.
pub struct Kafka {
    maker: Maker,
    outbox: Outbox,
}

impl Kafka {
    /// Makes the producer; no broker is asked yet. A usage error if a property is wrong.
    pub fn new(config: &Config) -> Result<Self, Failure> {
        let prefix = config.kafka.topic_prefix.as_deref().unwrap_or_default();
        let maker = Maker::new(&config.env, prefix);
        Ok(Kafka { maker, outbox: Outbox::new(&config.kafka, topics(config), config.retry_interval)? })
    }
}

/// The topics that a run writes to, by the names that they have on the brokers.
pub fn topics(config: &Config) -> Vec<String> {
    let prefix = config.kafka.topic_prefix.as_deref();
    let maker = Maker::new(&config.env, prefix.unwrap_or_default());
    let mut topics = maker.names().to_vec();
    if !config.alerts.rules().is_empty() {
        topics.push(maker.alerts().to_owned());
    }
    if config.on_malformed == OnMalformed::DeadLetter {
        topics.extend(Names::new(prefix).all().into_iter().map(|name| format!("{name}{}", letter::SUFFIX)));
    }
    topics
}

impl Sink for Kafka {
    type Work = Messages;

    fn preparer(&self) -> impl Fn(&Rows) -> Messages + Send + Sync + 'static {
        let maker = self.maker.clone();
        move |rows| maker.make(rows)
    }

    fn write(&mut self, messages: Messages) -> Result<()> {
        self.outbox.send(messages)
    }

    fn commit(&mut self) -> Result<Tally> {
        self.outbox.settle()?;
        Ok(Tally::default())
    }
}
