//! The feeder's thread: reads the brokers, deals epochs to the workers, commits what is durable.

mod again;
mod anew;
mod reading;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use hexflow_dataflows::decode::Stall;
use hexflow_operators::FixedMap;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;

use super::commits::{self, Commits};
use super::context::Context;
use super::controlled::{Controlled, needs_mapping};
use super::gate::Gate;
use super::gather::Gathering;
use super::retries::Retries;
use super::stalled::Stalled;
use crate::progress::Progress;

/// How long the feeder waits for one thing before it looks at the others.
const PERIOD: Duration = Duration::from_millis(10);

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
            self.begin_anew()?;
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
