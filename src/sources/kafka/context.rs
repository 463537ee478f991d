//! What the client library calls back: partitions come and go, commits are acknowledged, brokers are lost and found.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hexflow_dataflows::rows::stream_of;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::brokers::Brokers;
use super::controlled::needs_mapping;
use super::errors::{heard, log};
use super::ledger::Ledger;
use super::names::Names;
use super::watch::Watch;
use crate::api::health::joined;
use crate::control::Handle;
use crate::fault::Fault;

/// The consumer's side of the feeder. All of it is called on the feeder's thread, from within its polls, but for `error`
/// and `log`.
pub struct Context {
    /// What the consumer is made of.
    pub client: ClientConfig,
    /// Whether its library knows brokers.
    pub brokers: Brokers,
    /// The book that is kept of partitions.
    pub ledger: Arc<Mutex<Ledger>>,
    /// The names of the topics.
    pub names: Names,
    /// Whether the brokers are there.
    pub watch: Watch,
    /// Ends the run.
    pub fault: Fault,
    /// Whether citylens may be read, and what is to be skipped.
    pub control: Handle,
    /// Whether all partitions are paused because sinks are full, or the run stops.
    pub paused: AtomicBool,
    /// Whether another has taken its place: what becomes of partitions is that one's.
    pub retired: AtomicBool,
}

impl Context {
    /// The same for another consumer, which takes the place of this one's.
    pub fn succeed(&self) -> Context {
        self.retired.store(true, Relaxed);
        Context {
            client: self.client.clone(),
            brokers: Brokers::default(),
            ledger: Arc::clone(&self.ledger),
            names: self.names.clone(),
            watch: self.watch.clone(),
            fault: self.fault.clone(),
            control: self.control.clone(),
            paused: AtomicBool::new(self.paused.load(Relaxed)),
            retired: AtomicBool::default(),
        }
    }

    /// The ledger; held between polls only.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The streams of a list of partitions, with their offsets.
    fn streams(&self, list: &TopicPartitionList) -> Vec<(u32, Offset)> {
        let elements = list.elements();
        let some = elements.iter().filter(|element| element.error().is_ok());
        some.filter_map(|some| Some((self.stream(some.topic(), some.partition())?, some.offset()))).collect()
    }

    /// The streams of those of a list that something is wrong with.
    pub fn streams_in_error(&self, list: &TopicPartitionList) -> Vec<u32> {
        let elements = list.elements();
        let wrong = elements.iter().filter(|element| element.error().is_err());
        wrong.filter_map(|wrong| self.stream(wrong.topic(), wrong.partition())).collect()
    }

    /// A partition as a stream, if it is of a topic that is read.
    pub fn stream(&self, topic: &str, partition: i32) -> Option<u32> {
        Some(stream_of(self.names.topic(topic)?, u32::try_from(partition).ok()?))
    }

    /// Pauses partitions that have just come, or lets them go: the library remembers of a partition that was paused when it
    /// was taken from us, and would never read it again.
    fn set_going(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) {
        let waits = |stream: &u32| self.paused.load(Relaxed) || (needs_mapping(*stream) && !self.control.is_open());
        let (waiting, going): (Vec<_>, Vec<_>) =
            self.streams(list).into_iter().map(|(stream, _)| stream).partition(waits);
        let paused = consumer.pause(&self.names.partitions(waiting));
        if let Err(error) = paused.and_then(|()| consumer.resume(&self.names.partitions(going))) {
            self.watch.say(&format!("cannot pause or resume partitions: {error}"));
        }
    }

    /// Commits what is durable of partitions that are about to go, and forgets what is in flight of them.
    fn give_up(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) {
        let streams: Vec<_> = self.streams(list).into_iter().map(|(stream, _)| stream).collect();
        let durable = self.ledger().to_commit(Some(&streams));
        // One that cannot be committed is read again by whoever has it next.
        if !durable.is_empty()
            && let Err(error) = consumer.commit(&self.names.offsets(&durable), CommitMode::Sync)
        {
            self.watch.say(&format!("partitions were taken before their last offsets could be committed: {error}"));
        }
        self.ledger().revoke(streams);
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
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(list) = rebalance
            && !self.retired.load(Relaxed)
        {
            self.give_up(consumer, list);
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(_) if self.retired.load(Relaxed) => {}
            Rebalance::Assign(list) => {
                self.watch.found();
                joined();
                self.set_going(consumer, list);
                self.ledger().assign(self.streams(list).into_iter().map(|(stream, _)| stream));
            }
            Rebalance::Revoke(_) => {}
            Rebalance::Error(error) => self.watch.say(&format!("partitions could not be shared out: {error}")),
        }
    }
}
