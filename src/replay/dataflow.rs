//! The replay's dataflow on one worker: dumps, the pipeline, the sinks, and what is known at the end.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

use differential_dataflow::input::InputSession;
use hexflow_dataflows::citylens::{self, Settings};
use hexflow_dataflows::counts::Counts;
use hexflow_dataflows::decode::Stall;
use hexflow_dataflows::mapping::STORED;
use hexflow_operators::lookup::Key;
use timely::dataflow::ProbeHandle;
use timely::dataflow::operators::vec::Map;
use timely::dataflow::operators::{Concat, Exchange, Inspect, Probe};
use timely::worker::Worker;

use super::outputs::{self, Route};
use crate::board::{self, Board};
use crate::progress::Progress;
use crate::sinks::deliver::Deliver;
use crate::sinks::writer::Queue;
use crate::sources::dump::sequencer::{self, Again, Dealt};
use crate::sources::dump::source::{self, Feed};

/// What one worker takes along.
pub struct WorkerPlan {
    /// What the pipeline is told.
    pub settings: Settings,
    /// How rows reach their sinks.
    pub route: Route,
    /// The mapping rows that stood in the store; one worker of all has them.
    pub stored: Vec<(Key, u128)>,
    /// The queues of the sinks that all rows go to.
    pub sinks: Vec<Queue>,
    /// The queue of the sink that frames' detailed GPS goes to.
    pub objects: Vec<Queue>,
    /// What the sequencer deals to this worker.
    pub dealt: Receiver<Dealt>,
    /// The sequencer's side of that channel, sent off as soon as the worker can be woken.
    pub dealer: SyncSender<Dealt>,
    /// Where it is sent.
    pub workers: Sender<(usize, sequencer::Worker)>,
    /// Asks for another pass; the process's first worker has it.
    pub again: Option<Sender<Again>>,
    /// Where the counts of all workers add up, on the first.
    pub counts: Arc<Mutex<Counts>>,
    /// How far the run has come.
    pub progress: Arc<Progress>,
}

/// Builds and runs the dataflow; returns the partitions that stand still at its end, which every worker knows.
pub fn run(worker: &mut Worker, plan: WorkerPlan) -> Vec<Stall> {
    let board = Rc::new(RefCell::new(Board::default()));
    let mut stored = InputSession::new();
    let WorkerPlan { dealt, again, dealer, workers, counts, .. } = plan;
    let feed = |probe: &ProbeHandle<u64>| Feed { dealt, again, board: Rc::clone(&board), probe: probe.clone() };
    let index = worker.index();
    worker.dataflow::<u64, _, _>(|scope| {
        let probe = ProbeHandle::new();
        let (records, activator) = source::records(scope, feed(&probe));
        let pipeline = citylens::build(records, stored.to_collection(scope), &plan.settings);

        let written = outputs::rows(&pipeline, plan.route).deliver(plan.sinks);
        let kept = outputs::frames(pipeline.frames).deliver(plan.objects);
        board::keep(Rc::clone(&board), pipeline.stalls, pipeline.barriers, plan.progress).probe_with(&probe);
        kept.probe_with(&probe);
        let totals = written.map(Counts::from).concat(pipeline.counts).exchange(|_| 0);
        totals.inspect(move |some| *counts.lock().unwrap_or_else(PoisonError::into_inner) += *some).probe_with(&probe);

        // A sequencer that is gone has seen the run end.
        let _ = workers.send((index, sequencer::Worker { sender: dealer, activator }));
    });
    for (track, axion) in plan.stored {
        stored.update((track, (STORED, axion)), 1);
    }
    stored.close();
    while worker.has_dataflows() {
        worker.step_or_park(None);
    }
    board.borrow().standing()
}
