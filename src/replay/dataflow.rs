//! The replay's dataflow on one worker: dumps, the pipeline, the sinks, and what is known at the end.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, SyncSender};

use differential_dataflow::input::InputSession;
use hexflow_dataflows::decode::Stall;
use hexflow_dataflows::mapping::STORED;
use timely::dataflow::ProbeHandle;
use timely::dataflow::operators::ToStream;
use timely::worker::Worker;

use crate::board::Board;
use crate::flow::{self, Flow};
use crate::locations::Locations;
use crate::sources::dump::sequencer::{self, Again, Dealt};
use crate::sources::dump::source::{self, Feed};

/// What one worker takes along.
pub struct WorkerPlan {
    /// What is done with records, whatever their source.
    pub flow: Flow,
    /// What the sequencer deals to this worker.
    pub dealt: Receiver<Dealt>,
    /// The sequencer's side of that channel, sent off as soon as the worker can be woken.
    pub dealer: SyncSender<Dealt>,
    /// Where it is sent.
    pub workers: Sender<(usize, sequencer::Worker)>,
    /// Asks for another pass; the process's first worker has it.
    pub again: Option<Sender<Again>>,
}

/// Builds and runs the dataflow; returns the partitions that stand still at its end, which every worker knows.
pub fn run(worker: &mut Worker, plan: WorkerPlan) -> Vec<Stall> {
    let board = Rc::new(RefCell::new(Board::default()));
    let mut stored = InputSession::new();
    let WorkerPlan { mut flow, dealt, again, dealer, workers } = plan;
    let standing = std::mem::take(&mut flow.before.mapping);
    let located = std::mem::take(&mut flow.before.locations).changes(&Locations::default());
    let feed = |probe: &ProbeHandle<u64>| Feed { dealt, again, board: Rc::clone(&board), probe: probe.clone() };
    let index = worker.index();
    worker.dataflow::<u64, _, _>(|scope| {
        let probe = ProbeHandle::new();
        let (records, activator) = source::records(scope, feed(&probe));
        let locations = located.to_stream(scope);
        flow::build(records, stored.to_collection(scope), locations, flow, &board, &probe);
        // A sequencer that is gone has seen the run end.
        let _ = workers.send((index, sequencer::Worker { sender: dealer, activator }));
    });
    for (track, axion) in standing {
        stored.update((track, (STORED, axion)), 1);
    }
    stored.close();
    while worker.has_dataflows() {
        worker.step_or_park(None);
    }
    board.borrow().standing()
}
