//! One producer, from its making until it fails for good: hands messages to the library and waits for what becomes of them.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};

use super::client;
use super::context::Context;
use super::stuck::Stuck;
use crate::cli::Failure;
use crate::outgoing::Message;
use crate::patience;

/// How long to wait for room in the library before trying again.
const ROOM_PERIOD: Duration = Duration::from_millis(10);

/// How long to wait for acknowledgements before looking around.
const PERIOD: Duration = Duration::from_secs(1);

/// How long a producer that is lost may take to give its messages back.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// A producer and what it was given.
pub struct Courier {
    producer: ThreadedProducer<Context>,
    /// Messages that the library has taken.
    given: u64,
    /// Those that it has not, and why.
    refused: Vec<(u64, KafkaError)>,
}

impl Courier {
    /// A new producer; a usage error if a property is wrong.
    pub fn new(config: &ClientConfig) -> Result<Self, Failure> {
        Ok(Courier { producer: client::producer(config)?, given: 0, refused: Vec::new() })
    }

    /// The producer, to ask the brokers by.
    pub fn producer(&self) -> &ThreadedProducer<Context> {
        &self.producer
    }

    /// Why the producer has failed for good, if it has.
    pub fn fatal(&self) -> Option<(RDKafkaErrorCode, String)> {
        self.producer.client().fatal_error()
    }

    /// Whether another has to take its place: it has failed for good, or will never find a broker again.
    fn is_lost(&self) -> bool {
        self.fatal().is_some() || self.producer.context().brokers.are_forgotten()
    }

    /// Puts another producer in the place of one that is lost; says whether it has. What was given is to be given again.
    pub fn replace_if_lost(&mut self, config: &ClientConfig) -> Result<bool, patience::Failure> {
        if !self.is_lost() {
            return Ok(false);
        }
        let another = Courier::new(config);
        // The first was made of the same.
        *self = another.map_err(|_| patience::Failure::Passing("cannot make another producer".to_owned()))?;
        Ok(true)
    }

    /// Whether the library has not said of some messages what became of them.
    pub fn keeps_some(&self) -> bool {
        self.producer.context().settled() < self.given
    }

    /// Hands a message to the library, and waits while that has no room.
    pub fn give(&mut self, number: u64, message: &Message<'_>) {
        let mut stuck = None;
        let mut record = record(number, message);
        loop {
            let (error, unsent) = match self.producer.send(record) {
                Ok(()) => {
                    self.given += 1;
                    return;
                }
                Err(refused) => refused,
            };
            let is_full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
            if !is_full || self.is_lost() {
                self.refused.push((number, error));
                return;
            }
            record = unsent;
            let context = self.producer.context();
            let settled = context.settled();
            let stuck = stuck.get_or_insert_with(|| Stuck::new(settled));
            stuck.look(context.wait(settled + 1, ROOM_PERIOD), self.given, context);
        }
    }

    /// Waits until all that was given is acknowledged or has failed; those that failed, and why.
    ///
    /// A producer that is lost may keep some: see [`Courier::keeps_some`].
    pub fn settle(&mut self) -> Vec<(u64, KafkaError)> {
        let context = self.producer.context();
        let mut stuck = Stuck::new(context.settled());
        loop {
            let settled = context.wait(self.given, PERIOD);
            stuck.look(settled, self.given, context);
            if settled >= self.given {
                break;
            }
            if stuck.since().elapsed() > LAST_WORDS && self.is_lost() {
                break;
            }
        }
        let mut failed = std::mem::take(&mut self.refused);
        failed.append(&mut context.take_failed());
        failed
    }
}

/// A message as the library takes it, borrowed.
fn record<'a>(number: u64, message: &Message<'a>) -> BaseRecord<'a, [u8], [u8], usize> {
    let (to, headers) = (message.to(), message.headers());
    let owned = OwnedHeaders::new_with_capacity(headers.len());
    let headers = headers.fold(owned, |headers, (key, value)| headers.insert(Header { key, value }));
    BaseRecord {
        topic: to.topic,
        partition: to.partition.and_then(|partition| i32::try_from(partition).ok()),
        payload: message.payload(),
        key: message.key(),
        // A record that had no time gets the time at which it is sent.
        timestamp: Some(to.ts).filter(|ts| *ts > 0),
        headers: Some(headers),
        // Numbers of messages fit where addresses do.
        delivery_opaque: usize::try_from(number).unwrap_or(usize::MAX),
    }
}
