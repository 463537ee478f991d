//! The watch's thread: looks a few times a second whether citylens may be read and what is to be skipped, and writes down
//! which partitions stand still.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use hexflow_dataflows::decode::Stall;
use tracing::{info, warn};

use super::handle::{Handle, Partitions};
use super::place::Place;
use super::store::{Answer, ControlStore, RecordPlace, Standing};
use crate::fault::Fault;
use crate::patience::{Failure, Patience};
use crate::sources::kafka::names::Names;
use crate::telemetry::waiting;

/// Time between two looks.
const PERIOD: Duration = Duration::from_millis(250);

/// What the thread needs.
pub struct Watch {
    /// Where the tables are.
    pub place: Place,
    /// The longest pause between two attempts.
    pub interval: Duration,
    /// The names of the topics on the brokers.
    pub names: Names,
    /// Whether the migration bars reading: that of citylens only.
    pub bars: bool,
    /// What it tells the feeder, and is told.
    pub handle: Handle,
    /// Ends the run.
    pub fault: Fault,
}

impl Watch {
    /// Starts the thread, which watches for as long as the process lives.
    pub fn start(self) -> Result<()> {
        let run = move || {
            if let Err(error) = self.watch() {
                self.fault.raise(error);
            }
        };
        thread::Builder::new().name("watch".to_owned()).spawn(run).context("cannot start a thread")?;
        Ok(())
    }

    fn watch(&self) -> Result<()> {
        let mut store = self.place.open().map_err(Failure::told)?;
        let mut patience = Patience::new(store.name().to_owned(), self.interval);
        let skips = patience.until_answered("read skipped_offsets", |_| store.skips())?;
        self.skip(&skips);
        let (mut gate, mut book) = (Gate::default(), Book::new(self.names.clone()));
        loop {
            if self.bars {
                let state = patience.until_answered("read migration_state", |_| store.migrated())?;
                gate.tell(&self.handle, state, store.name());
            }
            let standing = book.standing(&self.handle.partitions());
            book.keep(&mut *store, &standing);
            let places: Vec<_> = standing.iter().map(place_of).collect();
            if !places.is_empty() {
                let skips = patience.until_answered("read skipped_offsets", |_| store.skips_at(&places))?;
                self.skip(&skips);
            }
            thread::sleep(PERIOD);
        }
    }

    fn skip(&self, places: &[RecordPlace]) {
        let positions: Vec<_> = places.iter().filter_map(|place| place.position(&self.names)).collect();
        let known = self.handle.skips().known();
        if positions.iter().any(|position| !known.contains(position)) {
            self.handle.skips().add(positions);
        }
    }
}

/// Whether citylens may be read, and what was said of it.
#[derive(Default)]
struct Gate {
    said: Option<Option<bool>>,
    waits: Option<waiting::Token>,
}

impl Gate {
    fn tell(&mut self, handle: &Handle, state: Option<bool>, store: &str) {
        handle.set_open(state == Some(true));
        if self.said == Some(state) {
            return;
        }
        match state {
            Some(true) if self.said.is_some() => info!("the initial migration is done: citylens is read"),
            Some(true) => {}
            Some(false) => {
                warn!(
                    "{store}: migration_state.initial_migration_done is false: citylens is not read until it is true"
                );
            }
            None => warn!(
                "{store}: migration_state has no row, which counts as false: citylens is not read until one says that \
                 initial_migration_done is true"
            ),
        }
        self.waits = (state != Some(true)).then(|| waiting::begin("the initial migration to be done", true));
        self.said = Some(state);
    }
}

/// The partitions of this process that stand still, as they are written down.
pub struct Book {
    names: Names,
    by: String,
    /// Since when, ms since the epoch, by stream and offset.
    since: BTreeMap<(u32, u64), i64>,
    ours: Vec<(String, u32)>,
    /// Whether it cannot be kept for good: people are told less, and nothing else depends on it.
    is_given_up: bool,
}

impl Book {
    /// Of a process that has none.
    pub fn new(names: Names) -> Self {
        Book { names, by: whoami(), since: BTreeMap::new(), ours: Vec::new(), is_given_up: false }
    }

    /// The rows of partitions that stand still.
    pub fn standing(&mut self, partitions: &Partitions) -> Vec<Standing> {
        self.ours = partitions.ours.iter().map(|&stream| self.partition(stream)).collect();
        let old = std::mem::take(&mut self.since);
        let now = now_ms();
        let row = |stall: &Stall| {
            let key = (stall.stream, stall.offset);
            let since = *self.since.entry(key).or_insert_with(|| old.get(&key).copied().unwrap_or(now));
            let (topic, partition) = self.partition(stall.stream);
            // A text of PostgreSQL's holds any character but this.
            let [reason, head] = [&stall.reason, &stall.head].map(|text| text.replace('\0', "\u{fffd}"));
            let by = self.by.clone();
            Standing { topic, partition, offset: stall.offset, reason, head, since, by }
        };
        partitions.stalls.iter().map(row).collect()
    }

    /// Writes them down, if that can be done: at the latest when it is asked again.
    fn keep(&mut self, store: &mut dyn ControlStore, standing: &[Standing]) {
        if self.is_given_up {
            return;
        }
        if let Err(failure @ Failure::Final(..)) = self.write(store, standing) {
            let error = failure.told_of("write stalled_partitions", store.name());
            warn!("{error:#}; until then `hexflow stalls` does not list the stalls of this process");
            self.is_given_up = true;
        }
    }

    /// Makes the table say what `standing` does of this process's partitions, and nothing of those that it no longer has.
    fn write(&self, store: &mut dyn ControlStore, standing: &[Standing]) -> Answer<()> {
        let written = store.standing()?;
        let is_same = |row: &Standing| standing.iter().any(|other| other == row);
        let is_ours = |row: &Standing| row.by == self.by || self.ours.contains(&(row.topic.clone(), row.partition));
        let gone: Vec<_> = written.iter().filter(|row| is_ours(row) && !is_same(row)).map(partition_of).collect();
        let there: Vec<_> = standing.iter().filter(|row| !written.contains(row)).cloned().collect();
        if gone.is_empty() && there.is_empty() { Ok(()) } else { store.write_standing(&gone, &there) }
    }

    fn partition(&self, stream: u32) -> (String, u32) {
        let (topic, partition) = self.names.place(stream);
        (topic.to_owned(), partition)
    }
}

fn partition_of(row: &Standing) -> (String, u32) {
    (row.topic.clone(), row.partition)
}

fn place_of(row: &Standing) -> RecordPlace {
    RecordPlace { topic: row.topic.clone(), partition: row.partition, offset: row.offset }
}

/// This process, as others can find it: host and process id.
pub fn whoami() -> String {
    format!("{}:{}", host(), std::process::id())
}

/// The name of this machine.
pub fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "localhost".to_owned() } else { name.trim().to_owned() }
}

/// Now, ms since the epoch.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|now| i64::try_from(now.as_millis()).ok()).unwrap_or(0)
}
