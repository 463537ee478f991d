//! From the pipeline's streams to the sinks: rows of all kinds on one stream, at the process that writes them.

use hexflow_dataflows::citylens::{self, Citylens};
use hexflow_dataflows::rows::{Entity, Frame};
use hexflow_operators::ExchangeBy;
use hexflow_operators::share::{Share, SharedBatch, Unshare};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::dataflow::operators::{Concatenate, Exchange};
use timely::dataflow::{Stream, StreamVec};

use crate::sinks::Rows;

/// How rows reach their sinks.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// If the first process writes for all: the number of its workers.
    pub gather: Option<u64>,
    /// Whether requests to clusterization are wanted.
    pub requests: bool,
}

/// All rows that the pipeline yields, for the sinks that take all.
pub fn rows<'scope>(pipeline: &Citylens<'scope, u64>, route: Route) -> StreamVec<'scope, u64, Rows> {
    let scope = pipeline.counts.scope();
    // Each worker's rows go to one worker of the first process, so that they keep their order.
    let mine = scope.index() as u64;
    let to = route.gather.map(|workers| mine % workers);
    let mut kinds = vec![
        kind(gathered(pipeline.tracks.clone(), to), Rows::Tracks),
        kind(gathered(pipeline.frames.clone(), to), Rows::Frames),
        kind(gathered(pipeline.detections.clone(), to), Rows::Detections),
        // The first worker is one of the first process's: dead letters are too few to be spread.
        kind(pipeline.dead_letters.clone().exchange(|_| 0), Rows::DeadLetters),
    ];
    if route.requests {
        let requests = citylens::requests(pipeline.detections.clone());
        kinds.push(kind(gathered(requests, to), Rows::Requests));
    }
    scope.concatenate(kinds)
}

/// The frames alone, for the sink of detailed GPS.
pub fn frames<'scope>(frames: Stream<'scope, u64, SharedBatch<Frame>>) -> StreamVec<'scope, u64, Rows> {
    kind(frames, Rows::Frames)
}

fn gathered<'scope, R: Entity>(
    rows: Stream<'scope, u64, SharedBatch<R>>,
    to: Option<u64>,
) -> Stream<'scope, u64, SharedBatch<R>> {
    match to {
        None => rows,
        Some(worker) => rows.unshare().exchange_by(move |_, _| worker).share(),
    }
}

fn kind<'scope, C: timely::Container>(
    rows: Stream<'scope, u64, C>,
    wrap: impl Fn(C) -> Rows + 'static,
) -> StreamVec<'scope, u64, Rows> {
    rows.unary::<CapacityContainerBuilder<Vec<Rows>>, _, _, _>(Pipeline, "Rows", |_capability, _info| {
        move |input, output| input.for_each(|time, batch| output.session(&time).give(wrap(std::mem::take(batch))))
    })
}
