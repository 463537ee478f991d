//! The mapper's thread: settles mapping rows for track events, and asks for the rows that lookups miss until they are there.

use std::sync::Arc;
use std::sync::mpsc::{Sender, SyncSender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use hexflow_operators::lookup::Key;
use timely::scheduling::SyncActivator;

use super::asking::Thread;
use super::place::Place;
use crate::fault::Fault;
use crate::patience::Failure;
use crate::sources::kafka::gate::Gate;

/// Rows of the mapping as the dataflow has them.
pub type Rows = Vec<(Key, u128)>;

/// What a worker hears of the mapping.
pub enum Arrival {
    /// These rows stand.
    Rows(Rows),
    /// All that stood when the run began has come.
    Complete,
}

/// The way to the thread; cheap to clone. The thread ends when the last clone is dropped.
#[derive(Clone)]
pub struct Mapper {
    asks: Sender<Ask>,
    settles: bool,
}

/// How a worker hears of the tracks it asked for.
pub struct Reply {
    /// By ticket, the rows that stand.
    pub sender: Sender<(u64, Rows)>,
    /// Wakes the worker's operator.
    pub activator: SyncActivator,
}

/// What the thread is asked.
pub enum Ask {
    /// To have the rows of tracks settled.
    Settle {
        /// Citylens track ids.
        tracks: Vec<String>,
        /// What the answer is known by.
        ticket: u64,
        /// Who is answered.
        reply: Arc<Reply>,
    },
    /// To look for the row of a track until it is there.
    Missing(String),
}

/// Where rows go that were missing.
pub struct Finds {
    /// To the worker that puts them into the mapping.
    pub rows: SyncSender<Arrival>,
    /// Lets the time pass that they come at.
    pub gate: Gate,
}

impl Mapper {
    /// Starts the thread; what is final ends the run. Without `settles` it only asks for rows that others make.
    pub fn start(
        place: &Place,
        settles: bool,
        interval: Duration,
        finds: Option<Finds>,
        fault: Fault,
    ) -> Result<Mapper> {
        let (asks, asked) = channel();
        let place = place.clone();
        let run = move || {
            let ended =
                place.open().map_err(Failure::told).and_then(|store| Thread::new(store, interval, finds).run(&asked));
            if let Err(error) = ended {
                fault.raise(error);
            }
        };
        thread::Builder::new().name("mapper".to_owned()).spawn(run).context("cannot start a thread")?;
        Ok(Mapper { asks, settles })
    }

    /// Whether rows are made by it, and not by who writes the tracks.
    pub fn settles(&self) -> bool {
        self.settles
    }

    /// Asks for the rows of `tracks`; `reply` hears of `ticket`. A thread that has ended has raised the fault that ends the run.
    pub fn settle(&self, tracks: Vec<String>, ticket: u64, reply: Arc<Reply>) {
        let _ = self.asks.send(Ask::Settle { tracks, ticket, reply });
    }

    /// A lookup has missed a track.
    pub fn missing(&self, track: String) {
        let _ = self.asks.send(Ask::Missing(track));
    }
}
