//! The feeder's reading: until an epoch is full or due, and while sinks take what was dealt.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::message::{BorrowedMessage, Message};

use super::{Feeder, PERIOD};
use crate::sources::kafka::errors::said;
use crate::sources::kafka::gather::Gathering;

/// Epochs that may be under way: with the size of one this bounds what lies between here and the slowest sink's last
/// acknowledgement.
const EPOCHS_IN_FLIGHT: usize = 32;

/// How long it stands back from full sinks without a word to the brokers; then it pauses its partitions, and so stays a
/// member of the group however long sinks take.
const PATIENCE: Duration = Duration::from_secs(1);

impl Feeder {
    /// Reads what there is until an epoch is full or due.
    pub(super) fn read(&mut self) {
        if self.is_full() && !self.is_paused() {
            self.wait_for_sinks();
            return;
        }
        let due = self.gathering.due_at();
        let mut wait = due.map_or(PERIOD, |due| due.saturating_duration_since(Instant::now()).min(PERIOD));
        while let Some(message) = self.consumer.poll(wait) {
            wait = Duration::ZERO;
            match message {
                Ok(message) if self.is_barred(&message) => {
                    self.astray.extend(Gathering::refuse(self.consumer.context(), &message));
                }
                Ok(message) => self.gathering.take(self.consumer.context(), &message),
                Err(error) => {
                    let context = self.consumer.context();
                    said(&context.names, &context.watch, &context.fault, &error);
                }
            }
            if self.gathering.is_full() {
                break;
            }
        }
        if self.gathering.is_due() {
            self.gathering.deal(&self.gate, self.consumer.context(), &self.progress);
        }
    }

    /// Whether as much is in flight as may be.
    fn is_full(&mut self) -> bool {
        if self.consumer.context().ledger().in_flight() >= EPOCHS_IN_FLIGHT {
            self.full.get_or_insert_with(Instant::now);
            return true;
        }
        self.full = None;
        if self.consumer.context().paused.swap(false, Relaxed) {
            let mut going: Vec<_> = self.consumer.context().ledger().going().collect();
            going.retain(|stream| !self.controlled.bars(*stream));
            self.try_to("resume", Consumer::resume, going);
        }
        false
    }

    /// Whether a message may not be read yet.
    fn is_barred(&self, message: &BorrowedMessage<'_>) -> bool {
        let stream = || self.consumer.context().stream(message.topic(), message.partition());
        self.controlled.is_barred() && stream().is_some_and(|stream| self.controlled.bars(stream))
    }

    pub(super) fn is_paused(&self) -> bool {
        self.consumer.context().paused.load(Relaxed)
    }

    fn wait_for_sinks(&mut self) {
        if self.full.is_some_and(|since| since.elapsed() > PATIENCE) {
            self.pause();
        }
        if let Ok(news) = self.news.recv_timeout(PERIOD) {
            self.heed(news);
        }
    }

    pub(super) fn pause(&mut self) {
        self.consumer.context().paused.store(true, Relaxed);
        let going: Vec<_> = self.consumer.context().ledger().going().collect();
        self.try_to("pause", Consumer::pause, going);
    }
}
