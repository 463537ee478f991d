//! The feeder's thread: reads the brokers, deals epochs to the workers, commits what is durable.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use hexflow_dataflows::decode::Stall;
use hexflow_dataflows::rows::stream_of;
use hexflow_operators::FixedMap;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Headers};
use rdkafka::{Message, TopicPartitionList};

use super::batch::{At, Batch};
use super::context::Context;
use super::gate::Gate;
use super::ledger::{Orders, Taken};
use super::stalled::Stalled;
use crate::progress::Progress;
use crate::sources::batching::{Batching, Filling};

/// Epochs that may be under way: with the size of one this bounds what lies between here and the slowest sink's last
/// acknowledgement.
const EPOCHS_IN_FLIGHT: usize = 32;

/// How long the feeder waits for one thing before it looks at the others.
const PERIOD: Duration = Duration::from_millis(10);

/// How long it stands back from full sinks without a word to the brokers; then it pauses its partitions, and so stays a
/// member of the group however long sinks take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Time between two commits.
const COMMIT_PERIOD: Duration = Duration::from_millis(200);

/// After so long a commit that was not acknowledged is sent again.
const COMMIT_PATIENCE: Duration = Duration::from_secs(5);

/// How long a partition's reading may take to be set back.
const SEEK_PATIENCE: Duration = Duration::from_secs(5);

/// What a worker tells of the dataflow.
pub struct News {
    /// All below it is durable in every sink; none when all is done.
    pub frontier: Option<u64>,
    /// Where partitions stand still, and where those stood that can go on; only when that has changed.
    pub stalls: Option<(Vec<Stall>, FixedMap<u32, u64>)>,
}

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
    fn worker(self, partition: u32) -> usize {
        let partition = partition as usize;
        let owner = (partition % self.peers).checked_sub(self.first).filter(|owner| *owner < self.count);
        owner.unwrap_or(partition % self.count)
    }
}

/// Reads for the workers of one process.
pub struct Feeder {
    consumer: BaseConsumer<Context>,
    gate: Gate,
    share: Share,
    news: Receiver<News>,
    /// Whether this process is to stop.
    stop: Arc<AtomicBool>,
    progress: Arc<Progress>,
    filling: Filling,
    /// What is gathered, a pair of batches a worker.
    gathered: Vec<[Batch; 2]>,
    stalled: Stalled,
    /// Since when sinks are full.
    full: Option<Instant>,
    /// Whether all partitions are paused for that.
    paused: bool,
    /// The last offsets that were sent to be committed, and when.
    sent: (Vec<(u32, u64)>, Instant),
    /// Partitions whose reading could not be set back yet.
    astray: Vec<u32>,
}

impl Feeder {
    /// A feeder that gathers epochs by `rule`.
    pub fn new(
        consumer: BaseConsumer<Context>,
        gate: Gate,
        share: Share,
        rule: Batching,
        news: Receiver<News>,
        stop: Arc<AtomicBool>,
        progress: Arc<Progress>,
    ) -> Self {
        let stalled = Stalled::new(consumer.context().names.clone());
        Feeder {
            consumer,
            gate,
            share,
            news,
            stop,
            progress,
            filling: Filling::new(rule),
            gathered: empty(share.count),
            stalled,
            full: None,
            paused: false,
            sent: (Vec::new(), Instant::now()),
            astray: Vec::new(),
        }
    }

    /// Reads until this process or another is to stop; then waits until all that was dealt is durable, and commits it.
    /// Calls `stopping` in between.
    ///
    /// Fails if the last offsets cannot be committed: what they cover is stored, and will be read once more.
    pub fn run(mut self, stopping: impl FnOnce()) -> anyhow::Result<()> {
        let names = self.consumer.context().names.clone();
        self.consumer.subscribe(&names.all())?;
        while !self.stop.load(Relaxed) && !self.gate.is_stopping() {
            self.hear();
            self.read();
            self.commit();
        }
        stopping();
        self.deal();
        self.gate.close();
        self.pause();
        while self.hear() {
            // What still comes is not taken. The brokers are asked, so that partitions are not taken from under us.
            drop(self.consumer.poll(PERIOD));
            self.commit();
        }
        let last = self.consumer.context().ledger().to_commit(None);
        if !last.is_empty() {
            self.consumer.commit(&names.offsets(&last), CommitMode::Sync).map_err(|error| {
                anyhow::anyhow!("cannot commit the last offsets: {error}; what was stored stays, and is read once more")
            })?;
        }
        Ok(())
    }

    /// Hears what the workers tell; false when nothing more will come.
    fn hear(&mut self) -> bool {
        loop {
            match self.news.try_recv() {
                Ok(news) => {
                    if !self.heed(news) {
                        return false;
                    }
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        for stream in std::mem::take(&mut self.astray) {
            let again = self.consumer.context().ledger().rewind(stream);
            self.rewind(again.into_iter().collect());
        }
        self.stalled.tell(|stream| self.consumer.context().ledger().is_ours(stream));
        true
    }

    fn heed(&mut self, news: News) -> bool {
        if let Some((stalls, resolved)) = news.stalls {
            let standing = stalls.iter().map(|stall| (stall.stream, stall.offset)).collect();
            let orders = self.consumer.context().ledger().stalls(&standing, &resolved);
            self.obey(orders);
            self.stalled.set(stalls);
        }
        // Not before: what an epoch is cut to is known before it is settled.
        self.consumer.context().ledger().settle(news.frontier);
        news.frontier.is_some()
    }

    fn obey(&mut self, orders: Orders) {
        if !orders.pause.is_empty() {
            self.try_to("pause", |consumer, list| consumer.pause(list), orders.pause);
        }
        if !orders.rewind.is_empty() {
            self.deal(); // what comes again comes in a later epoch than what was dropped
        }
        self.rewind(orders.rewind);
    }

    /// Reads partitions again from where they stood. Whatever the library still holds of them it drops.
    fn rewind(&mut self, offsets: Vec<(u32, u64)>) {
        if offsets.is_empty() {
            return;
        }
        let context = Arc::clone(self.consumer.context());
        let list = context.names.offsets(&offsets);
        let streams = offsets.iter().map(|(stream, _)| *stream);
        if !self.paused {
            self.try_to("resume", |consumer, list| consumer.resume(list), streams);
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

    /// Reads what there is until an epoch is full or due.
    fn read(&mut self) {
        if self.is_full() && !self.paused {
            self.wait_for_sinks();
            return;
        }
        let mut wait =
            self.filling.due_at().map_or(PERIOD, |due| due.saturating_duration_since(Instant::now()).min(PERIOD));
        // The consumer is lent out while a message of it is looked at.
        let (consumer, gathered, filling, share) = (&self.consumer, &mut self.gathered, &mut self.filling, self.share);
        while let Some(message) = consumer.poll(wait) {
            wait = Duration::ZERO;
            match message {
                Ok(message) => gather(consumer.context(), share, &message, gathered, filling),
                Err(error) => said(consumer.context(), &error),
            }
            if filling.room() == 0 {
                break;
            }
        }
        if self.filling.is_due(Instant::now()) {
            self.deal();
        }
    }

    /// Whether as much is in flight as may be.
    fn is_full(&mut self) -> bool {
        if self.consumer.context().ledger().in_flight() >= EPOCHS_IN_FLIGHT {
            self.full.get_or_insert_with(Instant::now);
            return true;
        }
        self.full = None;
        if std::mem::take(&mut self.paused) {
            let going: Vec<_> = self.consumer.context().ledger().going().collect();
            self.try_to("resume", |consumer, list| consumer.resume(list), going);
        }
        false
    }

    fn wait_for_sinks(&mut self) {
        if self.full.is_some_and(|since| since.elapsed() > PATIENCE) {
            self.pause();
        }
        if let Ok(news) = self.news.recv_timeout(PERIOD) {
            self.heed(news);
        }
    }

    fn pause(&mut self) {
        self.paused = true;
        let going: Vec<_> = self.consumer.context().ledger().going().collect();
        self.try_to("pause", |consumer, list| consumer.pause(list), going);
    }

    fn try_to(
        &self,
        what: &str,
        call: impl FnOnce(&BaseConsumer<Context>, &TopicPartitionList) -> Result<(), KafkaError>,
        streams: impl IntoIterator<Item = u32>,
    ) {
        let context = self.consumer.context();
        if let Err(error) = call(&self.consumer, &context.names.partitions(streams)) {
            // It only spares work: what comes of a partition that stands still is not taken.
            context.watch.say(&format!("cannot {what} partitions: {error}"));
        }
    }

    /// Deals what was gathered, if anything, as an epoch.
    fn deal(&mut self) {
        if self.filling.take() == 0 {
            return;
        }
        let batches = std::mem::replace(&mut self.gathered, empty(self.share.count));
        let first = batches.iter().map(|[_, first]| first.len()).sum();
        self.progress.saw(first, 0, i64::MIN, true);
        if let Some(epoch) = self.gate.deal(batches) {
            self.consumer.context().ledger().deal(epoch);
        }
    }

    /// Commits what is durable, now and then.
    fn commit(&mut self) {
        if self.sent.1.elapsed() < COMMIT_PERIOD {
            return;
        }
        let context = self.consumer.context();
        let durable = context.ledger().to_commit(None);
        let old_news = durable == self.sent.0 && self.sent.1.elapsed() < COMMIT_PATIENCE;
        if durable.is_empty() || old_news {
            return;
        }
        if let Err(error) = self.consumer.commit(&context.names.offsets(&durable), CommitMode::Async) {
            context.watch.say(&format!("cannot commit yet: {error}"));
        }
        self.sent = (durable, Instant::now());
    }
}

/// A pair of empty batches for each of `count` workers.
fn empty(count: usize) -> Vec<[Batch; 2]> {
    (0..count).map(|_| [true, false].map(Batch::new)).collect()
}

/// Takes a message into the batch of its worker, if it is to go on.
fn gather(
    context: &Context,
    share: Share,
    message: &BorrowedMessage<'_>,
    gathered: &mut [[Batch; 2]],
    filling: &mut Filling,
) {
    let topic = context.names.topic(message.topic());
    let (Some(topic), Ok(partition)) = (topic, u32::try_from(message.partition())) else { return };
    let Ok(offset) = u64::try_from(message.offset()) else { return };
    let again = match context.ledger().take(stream_of(topic, partition), offset) {
        Taken::First => false,
        Taken::Again => true,
        Taken::Not => return,
    };
    if filling.is_empty() {
        context.watch.found();
    }
    let at = At { topic, partition, offset, ts: message.timestamp().to_millis().unwrap_or(0) };
    let headers =
        message.headers().into_iter().flat_map(BorrowedHeaders::iter).map(|header| (header.key, header.value));
    gathered[share.worker(partition)][usize::from(!again)].push(at, message.key(), message.payload(), headers);
    filling.add(Instant::now());
}

/// Says what is wrong with reading, and what to do.
fn said(context: &Context, error: &KafkaError) {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            let topics = context.names.all().join(", ");
            context.watch.say(&format!("{error}: create the topics {topics}; waiting for them"));
        }
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::NoOffset) => {
            context.fault.raise(anyhow::anyhow!("a partition has no offset to begin at: {error}; say so with --from"));
        }
        _ => context.watch.say(&error.to_string()),
    }
}
