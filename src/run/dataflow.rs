//! The live dataflow on one worker, and what it tells the feeder of it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};

use differential_dataflow::input::InputSession;
use hexflow_dataflows::decode::Stall;
use hexflow_dataflows::mapping::STORED;
use hexflow_operators::lookup::Key;
use timely::dataflow::ProbeHandle;
use timely::scheduling::SyncActivator;
use timely::worker::Worker;

use super::beats::{self, Beats, Heard};
use super::located::Located;
use crate::board::Board;
use crate::control::mapper::{Arrival, Rows};
use crate::flow::{self, Flow};
use crate::locations::Locations;
use crate::locations::refresh::Changes;
use crate::sources::kafka::feeder::{News, Stalls};
use crate::sources::kafka::gate::Gate;
use crate::sources::kafka::source::{self, Feed};

/// What one worker takes along.
pub struct WorkerPlan {
    /// What is done with records, whatever their source.
    pub flow: Flow,
    /// Where records come from.
    pub feed: Feed,
    /// Where the worker says how it is woken.
    pub ready: Sender<(usize, SyncActivator)>,
    /// Where it tells how far all has come; the process's first worker does.
    pub news: Option<Sender<News>>,
    /// What is heard of all processes, and this one's number.
    pub beats: (Heard, usize),
    /// Mapping rows that come later than those that the flow begins with; without it none do.
    pub mapped: Option<Mapped>,
    /// What becomes of the locations of cameras after those that the flow begins with; without it nothing does.
    pub located: Option<Receiver<Changes>>,
}

/// How a worker hears of mapping rows.
pub struct Mapped {
    /// Where they come.
    pub arrivals: Receiver<Arrival>,
    /// Whether those that stood when the run began come this way too: until all have, no lookup is answered.
    pub loading: bool,
}

/// Builds and runs the dataflow until its source ends; returns the partitions that stand still then.
pub fn run(worker: &mut Worker, plan: WorkerPlan) -> Vec<Stall> {
    let WorkerPlan { mut flow, feed, ready, news, mapped, located, beats } = plan;
    let board = Rc::new(RefCell::new(Board::default()));
    let gate = feed.gate.clone();
    let mut stored = Stored { session: Some(InputSession::new()), mapped };
    stored.put(std::mem::take(&mut flow.before.mapping));
    let first = std::mem::take(&mut flow.before.locations).changes(&Locations::default());
    let index = worker.index();
    let probe = ProbeHandle::new();
    let mut locations = worker.dataflow::<u64, _, _>(|scope| {
        let (records, activator) = source::records(scope, feed);
        let (locations, changes) = Located::build(scope, located);
        let stored = stored.session.get_or_insert_with(InputSession::new).to_collection(scope);
        flow::build(records, stored, changes, flow, &board, &probe);
        // A feeder that is gone has seen the run end.
        let _ = ready.send((index, activator));
        locations
    });
    locations.put(first);
    let mut told = Told::default();
    let (heard, process) = beats;
    let mut beats = Some(Beats::build(worker, process, heard));
    // The process's first worker beats.
    let pause = news.is_some().then_some(beats::PERIOD);
    while worker.has_dataflows() {
        stored.advance(&gate);
        locations.advance(&gate);
        match &mut beats {
            Some(_) if probe.done() => beats = None,
            Some(beats) if news.is_some() => beats.beat(),
            _ => {}
        }
        worker.step_or_park(pause);
        if let Some(news) = &news {
            told.tell(&probe, &mut board.borrow_mut(), news);
        }
    }
    board.borrow().standing()
}

/// The mapping that stands in the store, as the dataflow's input.
struct Stored {
    session: Option<InputSession<u64, (Key, (u8, u128)), isize>>,
    /// More of it; without one nothing more can come.
    mapped: Option<Mapped>,
}

impl Stored {
    fn put(&mut self, rows: Rows) {
        if let Some(session) = &mut self.session {
            rows.into_iter().for_each(|(track, axion)| session.update((track, (STORED, axion)), 1));
        }
    }

    /// Puts in what has come, and lets pass the times that the source lets pass.
    fn advance(&mut self, gate: &Gate) {
        let Some(floor) = gate.floor().filter(|_| self.mapped.is_some()) else {
            // Which ends the input. Who has more for it must not wait.
            (self.session, self.mapped) = (None, None);
            return;
        };
        // Before its time passes, which it does with the next epoch.
        if !self.hear() {
            self.session = None;
        }
        if self.mapped.as_ref().is_some_and(|mapped| mapped.loading) {
            return;
        }
        if let Some(session) = self.session.as_mut().filter(|session| *session.time() < floor) {
            session.advance_to(floor);
            session.flush();
        }
    }

    /// Puts in what has come; false when nothing more can.
    fn hear(&mut self) -> bool {
        loop {
            let Some(mapped) = &mut self.mapped else { return false };
            match mapped.arrivals.try_recv() {
                Ok(Arrival::Rows(rows)) => self.put(rows),
                Ok(Arrival::Complete) => mapped.loading = false,
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }
}

/// What was told last.
#[derive(Default)]
struct Told {
    frontier: Option<Option<u64>>,
    changes: u64,
}

impl Told {
    /// Tells what has changed. The board is ahead of the probe, so a stall is told with its epoch's passing or before.
    fn tell(&mut self, probe: &ProbeHandle<u64>, board: &mut Board, news: &Sender<News>) {
        let frontier = probe.with_frontier(|frontier| frontier.first().copied());
        let changed = board.changes() != self.changes;
        if !changed && self.frontier == Some(frontier) {
            return;
        }
        (self.frontier, self.changes) = (Some(frontier), board.changes());
        let stalls = changed.then(|| {
            let resolved = board.take_resolved();
            Stalls { standing: board.standing_since(), resolved, held: board.held() }
        });
        let _ = news.send(News { frontier, stalls }); // nobody listens any more only when the run ends
    }
}
