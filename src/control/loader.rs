//! The loader's thread: brings the mapping that stands when a run begins to the workers that own its tracks.

use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use hexflow_dataflows::rows::{owner, track_key};

use super::mapper::{Arrival, Rows};
use super::place::Place;
use crate::fault::Fault;
use crate::patience::{Failure, Patience};
use crate::sources::kafka::gate::Gate;
use crate::sources::kafka::gather::Share;

/// Rows that go to a worker at a time.
const ROWS: usize = 16_384;

/// What the thread needs.
pub struct Loader {
    /// Where the rows are.
    pub place: Place,
    /// The longest pause between two attempts.
    pub interval: Duration,
    /// The ways to this process's workers; each is bounded, so that a table of any size is in memory once.
    pub workers: Vec<SyncSender<Arrival>>,
    /// Which worker owns what.
    pub share: Share,
    /// Wakes the workers.
    pub gate: Gate,
    /// Ends the run.
    pub fault: Fault,
}

impl Loader {
    /// Starts the thread, which ends when all is loaded.
    pub fn start(self) -> Result<()> {
        let run = move || {
            if let Err(error) = self.load() {
                self.fault.raise(error);
            }
        };
        thread::Builder::new().name("loader".to_owned()).spawn(run).context("cannot start a thread")?;
        Ok(())
    }

    fn load(&self) -> Result<()> {
        let mut store = self.place.open().map_err(Failure::told)?;
        let mut patience = Patience::new(store.name().to_owned(), self.interval);
        let mut shards: Vec<Rows> = self.workers.iter().map(|_| Rows::new()).collect();
        patience.until_answered("load the mapping", |_| {
            // What has come before an attempt failed comes once more, which changes nothing.
            store.each_mapping(&mut |track, axion| {
                let key = track_key(track);
                let worker = self.share.worker(u32::try_from(owner(key)).unwrap_or_default());
                shards[worker].push((key, axion.as_u128()));
                if shards[worker].len() >= ROWS {
                    self.send(worker, Arrival::Rows(std::mem::take(&mut shards[worker])));
                }
            })
        })?;
        for (worker, rows) in shards.into_iter().enumerate() {
            self.send(worker, Arrival::Rows(rows));
            self.send(worker, Arrival::Complete);
        }
        Ok(())
    }

    fn send(&self, worker: usize, what: Arrival) {
        let _ = self.workers[worker].send(what); // a worker that is gone took the process with it
        self.gate.wake();
    }
}
