//! The feeder's reading again: of partitions that stood still, from where they stood.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;

use super::Feeder;
use crate::sources::kafka::controlled;
use crate::sources::kafka::ledger::Orders;

/// How long a partition's reading may take to be set back.
const SEEK_PATIENCE: Duration = Duration::from_secs(5);

impl Feeder {
    /// The partitions whose time it is to be read again from where they stand.
    pub(super) fn due(&mut self) -> Vec<u32> {
        let context = self.consumer.context();
        let mut halted = context.ledger().halted();
        halted.retain(|(stream, _)| !self.controlled.bars(*stream));
        let astray = std::mem::take(&mut self.astray).into_iter();
        let (barred, mut due) = astray.partition(|stream| self.controlled.bars(*stream));
        self.astray = barred;
        due.extend(controlled::skipped(context, &halted));
        due.extend(self.retries.due(halted, Instant::now()));
        due
    }

    pub(super) fn obey(&mut self, orders: Orders) {
        if !orders.pause.is_empty() {
            self.try_to("pause", Consumer::pause, orders.pause);
        }
        if !orders.rewind.is_empty() {
            self.gathering.deal(&self.gate, self.consumer.context(), &self.progress); // what comes again comes in a later epoch than what was dropped
        }
        self.rewind(orders.rewind);
    }

    /// Reads partitions again from where they stood. Whatever the library still holds of them it drops.
    pub(super) fn rewind(&mut self, offsets: Vec<(u32, u64)>) {
        if offsets.is_empty() {
            return;
        }
        let context = Arc::clone(self.consumer.context());
        let list = context.names.offsets(&offsets);
        let streams = offsets.iter().map(|(stream, _)| *stream).filter(|stream| !self.controlled.bars(*stream));
        if !self.is_paused() {
            self.try_to("resume", Consumer::resume, streams);
        }
        let failed = match self.consumer.seek_partitions(list, SEEK_PATIENCE) {
            Ok(list) => {
                let wrong: Vec<_> = context.streams_in_error(&list);
                offsets.into_iter().filter(|(stream, _)| wrong.contains(stream)).collect()
            }
            Err(error) => {
                context.watch.say(&format!("partitions could not be set back yet: {error}"));
                offsets
            }
        };
        for (stream, offset) in failed {
            // Until it can be, nothing of it is taken.
            if context.ledger().stand(stream, offset) {
                self.astray.push(stream);
            }
        }
    }
}
