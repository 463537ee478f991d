//! The thread that follows the set while a run is under way: it looks again and again, and hands the differences on.
//!
//! There is one in a cluster, in its first process. A set that cannot be read changes nothing: the one before stays.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use hexflow_dataflows::cameras::LocationChange;

use super::stamp::{Next, Stamp, Stamps};
use super::{Locations, Source};
use crate::config::Config;
use crate::patience::Failure;
use crate::sources::kafka::gate::Gate;
use crate::telemetry::events;

/// How soon a file is looked at again that has just changed.
const SOON: Duration = Duration::from_millis(500);

/// What makes the next set of the one before.
pub type Changes = Vec<LocationChange>;

/// What the thread needs.
struct Refresh {
    source: Source,
    /// The set as the dataflow has it.
    known: Locations,
    /// Time between two looks.
    period: Duration,
    stamps: Stamps,
    /// What was last said to be wrong.
    said: Option<String>,
    /// To the worker that puts them into the dataflow.
    changes: Sender<Changes>,
    /// Lets the time pass that they come at.
    gate: Gate,
}

/// Starts the thread, which looks for as long as the process lives, and tells where its differences from `known` come; none
/// if the configuration has no set.
pub fn start(config: &Config, known: Locations, gate: &Gate) -> Result<Option<Receiver<Changes>>> {
    let Some(source) = Source::of(config).map_err(Failure::told)? else { return Ok(None) };
    events::locations_known(known.len());
    let (changes, come) = channel();
    let (period, stamps, said) = (config.cameras.refresh, Stamps::default(), None);
    let refresh = Refresh { source, known, period, stamps, said, changes, gate: gate.clone() };
    thread::Builder::new().name("locations".to_owned()).spawn(|| refresh.run()).context("cannot start a thread")?;
    Ok(Some(come))
}

/// What a look found.
enum Found {
    /// Nothing new.
    Nothing,
    /// A file that is being changed.
    Changing,
    /// The set, or why it cannot be read.
    Set(Result<Locations, String>),
}

impl Refresh {
    fn run(mut self) {
        let mut pause = self.period;
        loop {
            thread::sleep(pause);
            let found = self.look();
            pause = if matches!(found, Found::Changing) { self.period.min(SOON) } else { self.period };
            match found {
                Found::Nothing | Found::Changing => {}
                Found::Set(Err(problem)) => self.fail(problem),
                Found::Set(Ok(locations)) => {
                    if !self.take(locations) {
                        return; // nobody listens any more: the run ends
                    }
                }
            }
        }
    }

    fn look(&mut self) -> Found {
        let Source::File(path) = &self.source else { return Found::Set(self.source.read()) };
        let path = path.clone();
        let next = match Stamp::of(&path) {
            Ok(stamp) => self.stamps.look(stamp),
            Err(_) => Next::Read, // which tells why not
        };
        match next {
            Next::Nothing => return Found::Nothing,
            Next::Look => return Found::Changing,
            Next::Read => {}
        }
        let read = self.source.read();
        if Stamp::of(&path).is_ok_and(|stamp| !self.stamps.done(stamp)) {
            return Found::Changing;
        }
        if read.is_err() {
            self.stamps.failed();
        }
        Found::Set(read)
    }

    /// Hands on what differs; false if nobody wants it.
    fn take(&mut self, locations: Locations) -> bool {
        if self.said.take().is_some() {
            events::locations_back(&self.source.shown());
        }
        let changes = locations.changes(&self.known);
        if changes.is_empty() {
            return true;
        }
        events::locations_changed(locations.difference(&self.known), locations.len());
        self.known = locations;
        let is_sent = self.changes.send(changes).is_ok();
        self.gate.pulse();
        is_sent
    }

    /// The set before stays; the same is told once.
    fn fail(&mut self, problem: String) {
        let is_told = self.said.as_ref() != Some(&problem);
        events::locations_unread(&problem, self.known.len(), is_told);
        self.said = Some(problem);
    }
}
