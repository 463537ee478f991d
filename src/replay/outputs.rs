//! From the pipelines' streams to the sinks: rows of all kinds, at the process that writes them.

use std::sync::Arc;

use hexflow_dataflows::cameras::settle::Settled;
use hexflow_dataflows::citylens::{self, Citylens};
use hexflow_dataflows::decode::DeadLetter;
use hexflow_dataflows::late::{LateRow, TellLate};
use hexflow_dataflows::rows::{Entity, Frame};
use hexflow_dataflows::{cameras, sensors};
use hexflow_operators::each_epoch::EachEpoch;
use hexflow_operators::share::{Share, SharedBatch, Unshare};
use hexflow_operators::upsert::Tally;
use hexflow_operators::{Batch, ExchangeBy};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::dataflow::operators::vec::Map;
use timely::dataflow::operators::{Exchange, Inspect};
use timely::dataflow::{Stream, StreamVec};

use crate::sinks::Rows;
use crate::telemetry::events;

/// How rows reach their sinks.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// If the first process writes for all: the number of its workers.
    pub gather: Option<u64>,
    /// Whether requests to clusterization are wanted.
    pub requests: bool,
}

/// All rows that citylens yields, for the sinks that take all.
pub fn citylens<'scope>(pipeline: &Citylens<'scope, u64>, route: Route) -> Vec<StreamVec<'scope, u64, Rows>> {
    let scope = pipeline.counts.scope();
    // Each worker's rows go to one worker of the first process, so that they keep their order.
    let mine = scope.index() as u64;
    let to = route.gather.map(|workers| mine % workers);
    let mut kinds = vec![
        kind(gathered(pipeline.tracks.clone(), to), Rows::Tracks),
        kind(gathered(pipeline.frames.clone(), to), Rows::Frames),
        kind(gathered(pipeline.detections.clone(), to), Rows::Detections),
    ];
    if route.requests {
        let requests = citylens::requests(pipeline.detections.clone());
        kinds.push(kind(gathered(requests, to), Rows::Requests));
    }
    kinds
}

/// Records set aside. The first worker is one of the first process's: they are too few to be spread.
pub fn dead_letters(letters: StreamVec<'_, u64, DeadLetter>) -> StreamVec<'_, u64, Rows> {
    kind(letters.exchange(|_| 0), Rows::DeadLetters)
}

/// What sensors change, which is on the first worker.
pub fn sensors(changes: StreamVec<'_, u64, sensors::changes::Changes>) -> StreamVec<'_, u64, Rows> {
    changes.map(|changes| Rows::Sensors(Arc::new(changes)))
}

/// What cameras change, which is on the first worker.
pub fn cameras(changes: StreamVec<'_, u64, cameras::changes::Changes>) -> StreamVec<'_, u64, Rows> {
    changes.map(|changes| Rows::Cameras(Arc::new(changes)))
}

/// Records that came too late, told of. The first worker is one of the first process's: they are too few to be spread.
pub fn late<'scope, R: LateRow>(rows: Stream<'scope, u64, Batch<R>>) -> StreamVec<'scope, u64, Rows> {
    let late = rows.tell_late().exchange(|_| 0).inspect_batch(|_time, records| events::late(records));
    kind(late, Rows::Late)
}

/// Rows of cameras that nothing changes any more, on the workers that have them.
pub fn settled(rows: StreamVec<'_, u64, Arc<Settled>>) -> StreamVec<'_, u64, Rows> {
    rows.map(Rows::Settled)
}

/// Lets an epoch's changes pass once its settled rows, and those of all epochs before, are `written` on all workers.
pub fn behind<'scope>(
    changes: StreamVec<'scope, u64, cameras::changes::Changes>,
    written: StreamVec<'scope, u64, Tally>,
) -> StreamVec<'scope, u64, cameras::changes::Changes> {
    let passed = changes.each_epoch(Pipeline, "BehindHistory", written, {
        |epochs, _written, changes, _nothing: &mut Vec<()>| changes.extend(epochs.drain(..).flatten())
    });
    passed.0
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
