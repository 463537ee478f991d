//! What is done with records, whatever their source: the pipelines, the sinks, and the board of stalls.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use hexflow_dataflows::alerts::changes::Kept;
use hexflow_dataflows::alerts::judge::{Judge, Shape};
use hexflow_dataflows::alerts::windows::Epoch;
use hexflow_dataflows::cameras::counts::CountChange;
use hexflow_dataflows::citylens::{self, Inputs};
use hexflow_dataflows::counts::Counts;
use hexflow_dataflows::decode::{self, Decode, Decoded, Stall};
use hexflow_dataflows::mapping::{self, Proposals};
use hexflow_dataflows::pipelines::Pipeline;
use hexflow_dataflows::record::Records;
use hexflow_dataflows::sensors::windows::WindowChange;
use hexflow_dataflows::{alerts, cameras, sensors};
use hexflow_operators::hold_back::Barrier;
use hexflow_operators::lookup::Key;
use hexflow_operators::upsert::Tally;
use timely::dataflow::operators::vec::Map;
use timely::dataflow::operators::{Concatenate, Exchange, Inspect, Probe, ToStream};
use timely::dataflow::{ProbeHandle, Stream, StreamVec};

use crate::board::{self, Board};
use crate::control::Mapper;
use crate::control::settle::settle;
use crate::locations::Locations;
use crate::progress::Progress;
use crate::replay::outputs::{self, Route};
use crate::sinks::Rows;
use crate::sinks::deliver::Deliver;
use crate::sinks::writer::Queue;
use crate::telemetry::events;
use crate::totals::Totals;

/// What pipelines are told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How records are decoded, and for which pipelines.
    pub decode: decode::Settings,
    /// How long primary keys of citylens are remembered, ms of event time.
    pub dedup_window_ms: i64,
    /// What sensors are told.
    pub sensors: sensors::Settings,
    /// What cameras are told.
    pub cameras: cameras::Settings,
    /// The rules of alerts.
    pub alerts: alerts::Settings,
}

/// What stood before; one worker of all has it, or has its share.
#[derive(Default)]
pub struct Before {
    /// The mapping rows of the store.
    pub mapping: Vec<(Key, u128)>,
    /// What the store has kept of sensors.
    pub sensors: Vec<sensors::changes::Stored>,
    /// What the store has kept of cameras.
    pub cameras: Vec<cameras::changes::Stored>,
    /// The locations of cameras.
    pub locations: Locations,
    /// What the store has kept of alerts over sensors' windows.
    pub sensor_alerts: Kept<WindowChange>,
    /// What the store has kept of alerts over cameras' windows.
    pub camera_alerts: Kept<CountChange>,
}

/// What one worker needs for it.
pub struct Flow {
    /// What pipelines are told.
    pub settings: Settings,
    /// How rows reach their sinks.
    pub route: Route,
    /// What stood before.
    pub before: Before,
    /// Who settles mapping rows, and is asked for those that are missing; without it rows are made, and nobody is asked.
    pub mapper: Option<Mapper>,
    /// The queues of the sinks that all rows go to.
    pub sinks: Vec<Queue>,
    /// The queue of the sink that frames' detailed GPS goes to.
    pub objects: Vec<Queue>,
    /// The queue of the sink that late records go to; the first process has it, if any.
    pub late: Vec<Queue>,
    /// The queue of the sink that settled rows go to.
    pub history: Vec<Queue>,
    /// Where the counts of all workers add up, on the first.
    pub counts: Arc<Mutex<Totals>>,
    /// How far the run has come.
    pub progress: Arc<Progress>,
}

/// Builds it from records at times above 0, which is for what stood before, and from differences of the mapping that is
/// `stored` and of the locations of cameras, which may come at any time. When the frontier of `probe` has passed a time,
/// every effect of its records is durable, and `board` knows of every stall among them.
pub fn build<'scope, B: Records>(
    records: Stream<'scope, u64, B>,
    stored: Proposals<'scope, u64>,
    locations: StreamVec<'scope, u64, cameras::LocationChange>,
    mut flow: Flow,
    board: &Rc<RefCell<Board>>,
    probe: &ProbeHandle<u64>,
) {
    let scope = records.scope();
    let before = std::mem::take(&mut flow.before);
    let (chosen, settings) = (flow.settings.decode.pipelines, flow.settings.clone());
    let decoded = records.decode(&settings.decode);
    let Decoded { tracks, frames, detections, movements, camera_detections, skipped, .. } = decoded;
    let mut all = All {
        rows: vec![outputs::dead_letters(decoded.dead_letters)],
        counts: vec![decoded.counts],
        stalls: vec![decoded.stalls],
        barriers: vec![skipped.clone().map(Barrier::Lifted)],
        late: Vec::new(),
    };
    if chosen.contains(Pipeline::Sensors) {
        let stored = before.sensors.to_stream(scope);
        let pipeline = sensors::build(movements, stored, settings.sensors);
        let shape =
            Shape { step_ms: settings.sensors.slides.slide_ms(), lateness_ms: settings.sensors.lateness.lateness_ms };
        let changes =
            alerted(pipeline.changes, (Pipeline::Sensors, shape), before.sensor_alerts, &settings.alerts, probe);
        all.rows.push(outputs::sensors(changes));
        all.counts.push(of(Pipeline::Sensors, pipeline.counts));
        all.late.push(outputs::late(pipeline.late));
    }
    if chosen.contains(Pipeline::Cameras) {
        let stored = before.cameras.to_stream(scope);
        let pipeline = cameras::build(camera_detections, locations, stored, settings.cameras);
        let shape = Shape { step_ms: settings.cameras.window_ms, lateness_ms: settings.cameras.lateness.lateness_ms };
        let changes =
            alerted(pipeline.changes, (Pipeline::Cameras, shape), before.camera_alerts, &settings.alerts, probe);
        let changes = match settings.cameras.settle {
            None => changes,
            Some(_) => {
                let history = std::mem::take(&mut flow.history);
                outputs::behind(changes, outputs::settled(pipeline.settled).deliver(history))
            }
        };
        all.rows.push(outputs::cameras(changes));
        all.counts.push(of(Pipeline::Cameras, pipeline.counts));
        all.late.push(outputs::late(pipeline.late));
    }
    if chosen.contains(Pipeline::Citylens) {
        let inputs = Inputs { tracks, frames, detections, skipped };
        citylens(inputs, stored, &mut flow, &mut all).probe_with(probe);
    }
    if !all.late.is_empty() {
        scope.concatenate(all.late).deliver(flow.late).probe_with(probe);
    }
    let written = scope.concatenate(all.rows).deliver(flow.sinks);
    all.counts.push(of(Pipeline::Citylens, written.map(Counts::from)));
    let (stalls, barriers) = (scope.concatenate(all.stalls), scope.concatenate(all.barriers));
    board::keep(Rc::clone(board), stalls, barriers, flow.progress).probe_with(probe);
    let counts = flow.counts;
    let add = move |(pipeline, some): &(Pipeline, Counts)| {
        counts.lock().unwrap_or_else(PoisonError::into_inner).add(*pipeline, some);
        events::settled(some);
    };
    scope.concatenate(all.counts).exchange(|_| 0).inspect(add).probe_with(probe);
}

/// Has a pipeline's windows judged by the rules over them.
fn alerted<'scope, E: Epoch>(
    changes: StreamVec<'scope, u64, E>,
    (pipeline, shape): (Pipeline, Shape),
    kept: Kept<E::Row>,
    settings: &alerts::Settings,
    probe: &ProbeHandle<u64>,
) -> StreamVec<'scope, u64, E> {
    let judge = Judge::new(settings.rules_of(pipeline), shape, settings.patience, kept);
    alerts::judged::judged(changes, judge, settings, probe)
}

/// What pipelines yield, of each kind.
struct All<'scope> {
    rows: Vec<StreamVec<'scope, u64, Rows>>,
    counts: Vec<StreamVec<'scope, u64, (Pipeline, Counts)>>,
    stalls: Vec<StreamVec<'scope, u64, Stall>>,
    barriers: Vec<StreamVec<'scope, u64, Barrier>>,
    late: Vec<StreamVec<'scope, u64, Rows>>,
}

/// The pipeline of citylens; what is yielded is done when frames' detailed GPS is.
fn citylens<'scope>(
    inputs: Inputs<'scope, u64>,
    stored: Proposals<'scope, u64>,
    flow: &mut Flow,
    all: &mut All<'scope>,
) -> StreamVec<'scope, u64, Tally> {
    let mapper = flow.mapper.take();
    let settler = mapper.clone().filter(Mapper::settles);
    let settle = |tracks| match settler {
        Some(mapper) => settle(tracks, mapper),
        None => mapping::made(tracks),
    };
    let pipeline = citylens::build(inputs, stored, settle, flow.settings.dedup_window_ms);
    ask(pipeline.missing.clone(), mapper, flow.route.gather.is_some());
    all.rows.extend(outputs::citylens(&pipeline, flow.route));
    all.counts.push(of(Pipeline::Citylens, pipeline.counts));
    all.stalls.push(pipeline.stalls);
    all.barriers.push(pipeline.barriers);
    outputs::frames(pipeline.frames).deliver(std::mem::take(&mut flow.objects))
}

/// Says whose counts they are.
fn of(pipeline: Pipeline, counts: StreamVec<'_, u64, Counts>) -> StreamVec<'_, u64, (Pipeline, Counts)> {
    counts.map(move |counts| (pipeline, counts))
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
