//! What is read between two epochs, in the batches of the workers that will have it.

use std::time::Instant;

use hexflow_dataflows::rows::stream_of;
use rdkafka::Message;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Headers};

use super::batch::{At, Batch};
use super::context::Context;
use super::gate::Gate;
use super::ledger::Taken;
use crate::progress::Progress;
use crate::sources::batching::{Batching, Filling};
use crate::telemetry::metrics;

/// The workers of this process among all.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// Number of this process's first worker.
    pub first: usize,
    /// The number of its workers.
    pub count: usize,
    /// Number of all workers.
    pub peers: usize,
}

impl Share {
    /// Which of this process's workers reads a partition, always the same: the one that owns its tracks, if it is here.
    pub fn worker(self, partition: u32) -> usize {
        let partition = partition as usize;
        let owner = (partition % self.peers).checked_sub(self.first).filter(|owner| *owner < self.count);
        owner.unwrap_or(partition % self.count)
    }
}

/// An epoch in the making.
pub struct Gathering {
    share: Share,
    filling: Filling,
    /// A pair a worker: what comes again, and what comes first.
    batches: Vec<[Batch; 2]>,
}

impl Gathering {
    /// An empty one, which is full or due by `rule`.
    pub fn new(share: Share, rule: Batching) -> Self {
        Gathering { share, filling: Filling::new(rule), batches: empty(share.count) }
    }

    /// When it has to go although it is not full; `None` while it is empty.
    pub fn due_at(&self) -> Option<Instant> {
        self.filling.due_at()
    }

    /// Whether it has to go.
    pub fn is_due(&self) -> bool {
        self.filling.is_due(Instant::now())
    }

    /// Whether it takes no more.
    pub fn is_full(&self) -> bool {
        self.filling.room() == 0
    }

    /// Takes no message as yet: its partition is read again from here. Says which, the first time.
    pub fn refuse(context: &Context, message: &BorrowedMessage<'_>) -> Option<u32> {
        let topic = context.names.topic(message.topic())?;
        let (partition, offset) = (u32::try_from(message.partition()).ok()?, u64::try_from(message.offset()).ok()?);
        let stream = stream_of(topic, partition);
        context.ledger().refuse(stream, offset).then_some(stream)
    }

    /// Takes a message, if the ledger says that it is to go on.
    pub fn take(&mut self, context: &Context, message: &BorrowedMessage<'_>) {
        let topic = context.names.topic(message.topic());
        let (Some(topic), Ok(partition)) = (topic, u32::try_from(message.partition())) else { return };
        let Ok(offset) = u64::try_from(message.offset()) else { return };
        let again = match context.ledger().take(stream_of(topic, partition), offset, message.timestamp().to_millis()) {
            Taken::First => false,
            Taken::Again => true,
            Taken::Not => return,
        };
        if self.filling.is_empty() {
            context.watch.found();
        }
        let at = At { topic, partition, offset, ts: message.timestamp().to_millis().unwrap_or(0) };
        let headers = message.headers().into_iter().flat_map(BorrowedHeaders::iter);
        let headers = headers.map(|header| (header.key, header.value));
        let batch = &mut self.batches[self.share.worker(partition)][usize::from(!again)];
        batch.push(at, message.key(), message.payload(), headers);
        self.filling.add(Instant::now());
    }

    /// Deals what was gathered, if anything, as an epoch.
    pub fn deal(&mut self, gate: &Gate, context: &Context, progress: &Progress) {
        let count = self.filling.take();
        if count == 0 {
            return;
        }
        let batches = std::mem::replace(&mut self.batches, empty(self.share.count));
        let first = batches.iter().map(|[_, first]| first.len()).sum();
        progress.saw(first, 0, i64::MIN, true);
        metrics().records.inc_by(count as u64);
        metrics().batch_records.observe(u32::try_from(count).map_or(f64::INFINITY, f64::from));
        if let Some(epoch) = gate.deal(batches) {
            context.ledger().deal(epoch);
        }
    }
}

/// A pair of empty batches for each of `count` workers.
fn empty(count: usize) -> Vec<[Batch; 2]> {
    (0..count).map(|_| [true, false].map(Batch::new)).collect()
}
