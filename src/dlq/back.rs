//! Sends dead letters back: each as the record that it was, to its own partition, so that its track keeps one order.
//!
//! A letter counts as sent when the brokers have acknowledged its record; only then is its offset committed. Whatever stops
//! this in between, the same command goes on, and at worst sends some once more.

use anyhow::{Context as _, Result};
use rdkafka::Message;
use rdkafka::message::BorrowedMessage;
use serde::Serialize;

use super::Which;
use super::waiting::{Place, Waiting, letter};
use crate::cli::{Failure, print};
use crate::config::Config;
use crate::outgoing::Messages;
use crate::outgoing::messages::Address;
use crate::replay::args::SummaryFormat;
use crate::sinks::kafka::Outbox;

/// Letters that are sent before the first of them is committed.
const BATCH: usize = 5_000;

/// What was done with a topic's letters.
#[derive(Debug, Serialize)]
struct Done {
    topic: String,
    sent: u64,
}

#[derive(Debug, Serialize)]
struct Summary {
    sent: u64,
    topics: Vec<Done>,
}

/// Sends those that wait now, and says how many they were.
pub fn run(which: &Which, config: &Config) -> Result<(), Failure> {
    let waiting = Waiting::open(config, &which.topics)?;
    let outbox = Outbox::new(&config.kafka, waiting.topics.clone(), config.retry_interval)?;
    let mut sender = Sender { waiting: &waiting, outbox, batch: Messages::default() };
    let mut topics: Vec<_> = waiting.topics.iter().map(|topic| Done { topic: topic.clone(), sent: 0 }).collect();
    for place in waiting.places()? {
        let sent = sender.send_back(&place)?;
        topics.iter_mut().filter(|done| done.topic == place.topic).for_each(|done| done.sent += sent);
    }
    let summary = Summary { sent: topics.iter().map(|done| done.sent).sum(), topics };
    print(told(&summary, which.summary)?.as_bytes())
}

fn told(summary: &Summary, format: SummaryFormat) -> Result<String> {
    if format == SummaryFormat::Json {
        return Ok(serde_json::to_string(summary).context("cannot write the summary")? + "\n");
    }
    let line = |topic: &str, sent: u64| format!("{topic:<48} {sent:>12} sent back\n");
    let topics: String = summary.topics.iter().map(|done| line(&done.topic, done.sent)).collect();
    Ok(topics + &line("in all", summary.sent))
}

struct Sender<'a> {
    waiting: &'a Waiting,
    outbox: Outbox,
    batch: Messages,
}

impl Sender<'_> {
    fn send_back(&mut self, place: &Place) -> Result<u64> {
        let (mut sent, mut next) = (0, None);
        let waiting = self.waiting;
        waiting.read(place, |message| {
            self.take(place, message);
            (sent, next) = (sent + 1, Some(message.offset() + 1));
            if self.batch.len() >= BATCH { self.flush(place, next.take()) } else { Ok(()) }
        })?;
        self.flush(place, next)?;
        Ok(sent)
    }

    /// The letter becomes the record that it was.
    fn take(&mut self, place: &Place, message: &BorrowedMessage<'_>) {
        let letter = letter(message);
        // Where topics were made anew with fewer partitions its key has to do.
        let partition = letter.partition.filter(|partition| *partition < self.waiting.partitions(&place.topic));
        let to = Address { topic: &place.topic, partition, ts: message.timestamp().to_millis().unwrap_or(0) };
        self.batch.push(to, message.key(), letter.headers, |bytes| {
            bytes.extend_from_slice(message.payload().unwrap_or_default());
            message.payload().is_some()
        });
    }

    fn flush(&mut self, place: &Place, next: Option<i64>) -> Result<()> {
        self.outbox.send(std::mem::take(&mut self.batch))?;
        self.outbox.settle()?;
        next.map_or(Ok(()), |next| self.waiting.commit(place, next))
    }
}
