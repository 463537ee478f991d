//! The feeder's thread: reads the brokers, deals epochs to the workers, commits what is durable.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use hexflow_dataflows::decode::Stall;
use hexflow_operators::FixedMap;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};

use super::commits::{self, Commits};
use super::context::Context;
use super::controlled::{self, Controlled, needs_mapping};
use super::gate::Gate;
use super::gather::Gathering;
use super::ledger::Orders;
use super::names::Names;
use super::retries::Retries;
use super::stalled::Stalled;
use super::watch::Watch;
use crate::fault::Fault;
use crate::progress::Progress;

/// Epochs that may be under way: with the size of one this bounds what lies between here and the slowest sink's last
/// acknowledgement.
const EPOCHS_IN_FLIGHT: usize = 32;

/// How long the feeder waits for one thing before it looks at the others.
const PERIOD: Duration = Duration::from_millis(10);

/// How long it stands back from full sinks without a word to the brokers; then it pauses its partitions, and so stays a
/// member of the group however long sinks take.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a partition's reading may take to be set back.
const SEEK_PATIENCE: Duration = Duration::from_secs(5);

/// What a worker tells of the dataflow.
pub struct News {
    /// All below it is durable in every sink; none when all is done.
    pub frontier: Option<u64>,
    /// Where partitions stand still; only when that has changed.
    pub stalls: Option<Stalls>,
}

/// What a worker's board says of stalls.
pub struct Stalls {
    /// The partitions that stand still, each with the epoch that told of it last.
    pub standing: Vec<(Stall, u64)>,
    /// Where those stood that can go on, and the epoch that told of it last.
    pub resolved: FixedMap<u32, (u64, u64)>,
    /// Where workers hold partitions back until the record there has come again.
    pub held: FixedMap<u32, u64>,
}

/// Reads for the workers of one process.
pub struct Feeder {
    consumer: BaseConsumer<Context>,
    gate: Gate,
    news: Receiver<News>,
    /// Whether this process is to stop.
    stop: Arc<AtomicBool>,
    progress: Arc<Progress>,
    gathering: Gathering,
    stalled: Stalled,
    /// Since when sinks are full.
    full: Option<Instant>,
    controlled: Controlled,
    commits: Commits,
    retries: Retries,
    /// Partitions whose reading could not be set back yet.
    astray: Vec<u32>,
}

impl Feeder {
    /// A feeder that fills `gathering`, and tries a stalled record again after `retry_interval`.
    pub fn new(
        consumer: BaseConsumer<Context>,
        gate: Gate,
        gathering: Gathering,
        retry_interval: Duration,
        news: Receiver<News>,
        stop: Arc<AtomicBool>,
        progress: Arc<Progress>,
    ) -> Self {
        let stalled = Stalled::new(consumer.context().names.clone());
        Feeder {
            consumer,
            gate,
            news,
            stop,
            progress,
            gathering,
            stalled,
            full: None,
            controlled: Controlled::default(),
            commits: Commits::default(),
            retries: Retries::new(retry_interval),
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
            self.heed_control();
            self.hear();
            self.read();
            self.commits.now_and_then(&self.consumer);
            self.consumer.context().ledger().observe(&self.progress);
        }
        stopping();
        self.gathering.deal(&self.gate, self.consumer.context(), &self.progress);
        self.gate.close();
        self.pause();
        while self.hear() {
            // What still comes is not taken. The brokers are asked, so that partitions are not taken from under us.
            drop(self.consumer.poll(PERIOD));
            self.commits.now_and_then(&self.consumer);
            self.consumer.context().ledger().observe(&self.progress);
        }
        commits::last(&self.consumer)
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
        for stream in self.due() {
            self.gathering.deal(&self.gate, self.consumer.context(), &self.progress);
            let again = self.consumer.context().ledger().rewind(stream);
            self.rewind(again.into_iter().collect());
        }
        self.stalled.tell(|stream| self.consumer.context().ledger().is_ours(stream));
        true
    }

    /// The partitions whose time it is to be read again from where they stand.
    fn due(&mut self) -> Vec<u32> {
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

    /// Stops and goes on as the control store says, and tells it of stalls.
    fn heed_control(&mut self) {
        let context = Arc::clone(self.consumer.context());
        if self.controlled.hear(&context) {
            let going: Vec<_> = context.ledger().going().filter(|stream| needs_mapping(*stream)).collect();
            if self.controlled.is_barred() {
                self.try_to("pause", Consumer::pause, going);
            } else if !self.is_paused() {
                self.try_to("resume", Consumer::resume, going);
            }
        }
        self.controlled.tell(&context, &self.stalled);
    }

    fn heed(&mut self, news: News) -> bool {
        if let Some(Stalls { standing: stalls, resolved, held }) = news.stalls {
            let standing = stalls.iter().map(|(stall, time)| (stall.stream, (stall.offset, *time))).collect();
            let orders = self.consumer.context().ledger().hold(held).stalls(&standing, &resolved);
            self.obey(orders);
            self.stalled.set(stalls.into_iter().map(|(stall, _)| stall).collect());
        }
        // Not before: what an epoch is cut to is known before it is settled.
        self.consumer.context().ledger().settle(news.frontier);
        news.frontier.is_some()
    }

    fn obey(&mut self, orders: Orders) {
        if !orders.pause.is_empty() {
            self.try_to("pause", Consumer::pause, orders.pause);
        }
        if !orders.rewind.is_empty() {
            self.gathering.deal(&self.gate, self.consumer.context(), &self.progress); // what comes again comes in a later epoch than what was dropped
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

    /// Reads what there is until an epoch is full or due.
    fn read(&mut self) {
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

    fn is_paused(&self) -> bool {
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

    fn pause(&mut self) {
        self.consumer.context().paused.store(true, Relaxed);
        let going: Vec<_> = self.consumer.context().ledger().going().collect();
        self.try_to("pause", Consumer::pause, going);
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
}

/// Says what is wrong with reading these topics, and what to do.
pub fn said(names: &Names, watch: &Watch, fault: &Fault, error: &KafkaError) {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            let topics = names.all().join(", ");
            watch.say(&format!("{error}: create the topics {topics}; waiting for them"));
        }
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::NoOffset) => {
            fault.raise(anyhow::anyhow!("a partition has no offset to begin at: {error}; say so with --from"));
        }
        _ => watch.say(&error.to_string()),
    }
}
