//! What is done with records, whatever their source: the pipeline, the sinks, and the board of stalls.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use hexflow_dataflows::citylens::{self, Settings};
use hexflow_dataflows::counts::Counts;
use hexflow_dataflows::mapping::{self, Proposals};
use hexflow_dataflows::record::Records;
use hexflow_operators::lookup::Key;
use timely::dataflow::operators::vec::Map;
use timely::dataflow::operators::{Concat, Exchange, Inspect, Probe};
use timely::dataflow::{ProbeHandle, Stream, StreamVec};

use crate::board::{self, Board};
use crate::control::Mapper;
use crate::control::settle::settle;
use crate::progress::Progress;
use crate::replay::outputs::{self, Route};
use crate::sinks::deliver::Deliver;
use crate::sinks::writer::Queue;
use crate::telemetry::events;

/// What one worker needs for it.
pub struct Flow {
    /// What the pipeline is told.
    pub settings: Settings,
    /// How rows reach their sinks.
    pub route: Route,
    /// The mapping rows that stood in the store; one worker of all has them.
    pub stored: Vec<(Key, u128)>,
    /// Who settles mapping rows, and is asked for those that are missing; without it rows are made, and nobody is asked.
    pub mapper: Option<Mapper>,
    /// The queues of the sinks that all rows go to.
    pub sinks: Vec<Queue>,
    /// The queue of the sink that frames' detailed GPS goes to.
    pub objects: Vec<Queue>,
    /// Where the counts of all workers add up, on the first.
    pub counts: Arc<Mutex<Counts>>,
    /// How far the run has come.
    pub progress: Arc<Progress>,
}

/// Builds it. When the frontier of `probe` has passed a time, every effect of its records is durable, and `board` knows of
/// every stall among them.
pub fn build<'scope, B: Records>(
    records: Stream<'scope, u64, B>,
    stored: Proposals<'scope, u64>,
    flow: Flow,
    board: &Rc<RefCell<Board>>,
    probe: &ProbeHandle<u64>,
) {
    let Flow { mapper, .. } = flow;
    let settler = mapper.clone().filter(Mapper::settles);
    let settle = |tracks| match settler {
        Some(mapper) => settle(tracks, mapper),
        None => mapping::made(tracks),
    };
    let pipeline = citylens::build(records, stored, settle, &flow.settings);
    ask(pipeline.missing.clone(), mapper, flow.route.gather.is_some());
    let written = outputs::rows(&pipeline, flow.route).deliver(flow.sinks);
    let kept = outputs::frames(pipeline.frames).deliver(flow.objects);
    board::keep(Rc::clone(board), pipeline.stalls, pipeline.barriers, flow.progress).probe_with(probe);
    kept.probe_with(probe);
    let totals = written.map(Counts::from).concat(pipeline.counts).exchange(|_| 0);
    let counts = flow.counts;
    let add = move |some: &Counts| {
        *counts.lock().unwrap_or_else(PoisonError::into_inner) += *some;
        events::settled(some);
    };
    totals.inspect(add).probe_with(probe);
}

/// Has the mapping rows asked for that lookups miss: by this process, or by the first for all.
fn ask(missing: StreamVec<'_, u64, String>, mapper: Option<Mapper>, by_the_first: bool) {
    let missing = if by_the_first { missing.exchange(|_| 0) } else { missing };
    missing.inspect(move |track| {
        if let Some(mapper) = &mapper {
            mapper.missing(track.clone());
        }
    });
}
