//! The archiver's thread: reads the topics as a group of its own, and commits what lies in the archive.
//!
//! Of its own, since an object is of minutes and an epoch of a tenth of a second: were epochs to wait for their object, their
//! commits would, too. What it gathers is lost with it, and read again from the committed offset: nothing below that
//! is anywhere but in the archive. While the store is away it waits for it, and reads nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::rows::{partition_of_stream, stream_of};
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Headers};

use super::context::Context;
use super::gather::Gathering;
use super::line::{self, Raw};
use super::range::{Range, entries, reaching};
use crate::cli::Failure;
use crate::config::{self, Config};
use crate::fault::Fault;
use crate::objects::{Place, Store};
use crate::sources::kafka::client;
use crate::sources::kafka::errors::said;
use crate::sources::kafka::names::Names;
use crate::sources::kafka::watch::Watch;
use crate::telemetry::events;

/// What follows the run's group in the archiver's.
pub const GROUP_SUFFIX: &str = ".archive";

/// How long it reads before it looks at other things.
const PERIOD: Duration = Duration::from_millis(100);

/// An archiver under way.
pub struct Archiving {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Archiving {
    /// Starts it, if the configuration names an archive. Of several processes each is a member of the group.
    pub fn start(config: &Config, watch: Watch, fault: &Fault) -> Result<Option<Archiving>, Failure> {
        let Some(url) = config.archive.url.as_deref() else { return Ok(None) };
        let place = Place::parse(url).map_err(Failure::usage)?;
        let names = Names::of_topics(config.kafka.topic_prefix.as_deref(), topics(&config.archive));
        let mut client = client::config(&config.kafka)?;
        client.set("group.id", format!("{}{GROUP_SUFFIX}", config.kafka.group));
        let context = Context::new(&client, names, watch, fault.clone());
        let consumer = client::consumer(&context.client.clone(), context)?;
        let stop = Arc::<AtomicBool>::default();
        let archiver = Archiver {
            consumer,
            store: Store::open_synced(&place, config)?,
            gathering: Gathering::default(),
            rule: config.archive.clone(),
            stop: Arc::clone(&stop),
        };
        let fault = fault.clone();
        let run = move || {
            if let Err(error) = archiver.run().context("the archive failed") {
                fault.raise(error);
            }
        };
        let thread = thread::Builder::new().name("archive".to_owned()).spawn(run).context("cannot start a thread")?;
        Ok(Some(Archiving { stop, thread }))
    }

    /// Has it archive and commit all that it has read, and waits until that is done.
    pub fn finish(self) -> Result<()> {
        self.stop.store(true, Relaxed);
        self.thread.join().map_err(|_| anyhow!("the archiver's thread has panicked"))
    }
}

/// The topics to archive.
pub fn topics(config: &config::Archive) -> impl Iterator<Item = Topic> {
    config.topics.split(',').filter_map(|name| Topic::named(name.trim()))
}

struct Archiver {
    consumer: BaseConsumer<Context>,
    store: Store,
    gathering: Gathering,
    rule: config::Archive,
    stop: Arc<AtomicBool>,
}

impl Archiver {
    fn run(mut self) -> Result<()> {
        let context = Arc::clone(self.consumer.context());
        self.consumer.subscribe(&context.names.all())?;
        while !self.stop.load(Relaxed) {
            self.begin_anew()?;
            self.read()?;
            let due = self.gathering.due(self.rule.roll_interval);
            self.roll(due, CommitMode::Async)?;
        }
        self.forget();
        self.roll(self.gathering.due(Duration::ZERO), CommitMode::Sync)
    }

    /// Puts another consumer in the place of one whose library has forgotten the brokers.
    fn begin_anew(&mut self) -> Result<()> {
        let context = Arc::clone(self.consumer.context());
        if !context.brokers.are_forgotten() {
            return Ok(());
        }
        let Context { client, names, watch, fault, .. } = &*context;
        watch.say("the archive's client has forgotten the brokers: another takes its place");
        let another = Context::new(client, names.clone(), watch.clone(), fault.clone());
        client::replace(&mut self.consumer, client, another, &names.all())?;
        self.gathering = Gathering::default();
        Ok(())
    }

    /// Takes what comes, for a while or until memory is full.
    fn read(&mut self) -> Result<()> {
        let context = Arc::clone(self.consumer.context());
        let (consumer, until) = (&self.consumer, Instant::now() + PERIOD);
        while let Some(message) = consumer.poll(until.saturating_duration_since(Instant::now())) {
            for stream in context.take_gone() {
                self.gathering.forget(stream);
            }
            match message {
                Ok(message) => take(&mut self.gathering, &mut self.store, &context, &message)?,
                Err(error) => said(&context.names, &context.watch, &context.fault, &error),
            }
            if self.gathering.held() >= self.rule.roll_bytes || Instant::now() >= until {
                break;
            }
        }
        self.forget();
        match self.gathering.fullest().filter(|_| self.gathering.held() >= self.rule.roll_bytes) {
            Some(fullest) => self.roll(vec![fullest], CommitMode::Async),
            None => Ok(()),
        }
    }

    /// Forgets the partitions that were taken from us.
    fn forget(&mut self) {
        for stream in self.consumer.context().take_gone() {
            self.gathering.forget(stream);
        }
    }

    /// Archives all that was gathered of partitions, then their entries, then commits: in this order, so that what is
    /// committed can be found, and what can be found is whole.
    fn roll(&mut self, streams: Vec<u32>, mode: CommitMode) -> Result<()> {
        let (mut objects, mut entries, mut offsets, mut records) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for stream in streams {
            let Some(rolled) = self.gathering.roll(stream)? else { continue };
            offsets.push((stream, rolled.next));
            for sealed in rolled.sealed {
                records += sealed.records;
                objects.push(sealed.object);
                entries.push(sealed.entry);
            }
        }
        if offsets.is_empty() {
            return Ok(());
        }
        let (count, bytes) = (objects.len() as u64, objects.iter().map(|(_, bytes)| bytes.len() as u64).sum());
        self.store.put_all(objects)?;
        self.store.put_all(entries)?;
        events::archived(count, records, bytes);
        let context = self.consumer.context();
        if let Err(error) = self.consumer.commit(&context.names.offsets(&offsets), mode) {
            // Whoever has the partition next reads it again, and makes the same objects of it.
            context.watch.say(&format!("cannot commit what was archived: {error}"));
        }
        Ok(())
    }
}

/// Takes a message; a partition's first asks the archive where objects ended beyond the committed offset.
fn take(gathering: &mut Gathering, store: &mut Store, context: &Context, message: &BorrowedMessage<'_>) -> Result<()> {
    let topic = context.names.topic(message.topic());
    let (Some(topic), Ok(partition)) = (topic, u32::try_from(message.partition())) else { return Ok(()) };
    let Ok(offset) = u64::try_from(message.offset()) else { return Ok(()) };
    let stream = stream_of(topic, partition);
    if !gathering.has(stream) {
        context.watch.found();
        let listed = store.list(&entries(topic, partition), Some(&reaching(topic, partition, offset)))?;
        let cuts = listed.iter().filter_map(|listed| Range::of_entry_name(&listed.name));
        gathering.begin(stream, offset, cuts.map(|range| (range.hour, range.last)).collect());
    }
    let ts = message.timestamp().to_millis().unwrap_or(0);
    let headers = message.headers().into_iter().flat_map(BorrowedHeaders::iter);
    gathering.take(stream, offset, ts, |line| {
        let raw = Raw {
            topic: partition_of_stream(stream).0.name(),
            partition,
            offset,
            ts,
            headers: headers.map(|header| (header.key, header.value)).collect(),
            key: message.key(),
            payload: message.payload(),
        };
        line::write(line, &raw);
    })
}
