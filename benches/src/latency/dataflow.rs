//! One run: workers offer records at a rate to the real pipeline, and note when each record's effects have settled.
//!
//! Settled means that the frontier behind the sinks has passed the record's epoch: that is what allows its offset to be
//! committed, and it comes no sooner than the sink's acknowledgement.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use differential_dataflow::input::InputSession;
use hdrhistogram::Histogram;
use hexflow::board;
use hexflow::fault::Fault;
use hexflow::replay::outputs::{self, Route};
use hexflow::sinks::deliver::Deliver;
use hexflow::sinks::null::Null;
use hexflow::sinks::writer::{self, Queue};
use hexflow::sources::batching::Batching;
use hexflow_dataflows::citylens::{self, Inputs};
use hexflow_dataflows::counts::Counts;
use hexflow_dataflows::decode::{Decode, Decoded, OnMalformed, Settings};
use hexflow_dataflows::mapping;
use hexflow_dataflows::pipelines::Pipeline;
use hexflow_dataflows::skips::Skips;
use timely::dataflow::ProbeHandle;
use timely::dataflow::operators::vec::Map;
use timely::dataflow::operators::{Concat, Concatenate, Exchange, Inspect, Probe};
use timely::worker::Worker;

use super::schedule::Schedule;
use super::source::{self, InFlight, Offer};
use crate::records::Memory;

/// Until workers have built their dataflows.
const SET_UP: Duration = Duration::from_millis(300);

/// What is offered.
#[derive(Clone)]
pub(super) struct Load {
    pub(super) memory: Arc<Memory>,
    pub(super) batching: Batching,
    pub(super) workers: usize,
    /// Records a second.
    pub(super) rate: u64,
    /// Records offered, and how many of them come before what is measured.
    pub(super) records: usize,
    pub(super) warm_up: usize,
}

/// Latencies in us.
pub(super) type Latencies = Histogram<u64>;

/// None yet; up to ten minutes, to three digits.
pub(super) fn fresh() -> Result<Latencies> {
    Ok(Latencies::new_with_bounds(1, 600_000_000, 3)?)
}

/// Runs once.
pub(super) fn run(load: &Load) -> Result<Latencies> {
    let (fault, faults) = Fault::new();
    let (queue, thread) = writer::start("store", Null::default(), fault)?;
    let counts = Arc::new(Mutex::new(Counts::default()));
    let schedule = Schedule { start: Instant::now() + SET_UP, rate: load.rate };
    let config = if load.workers == 1 { timely::Config::thread() } else { timely::Config::process(load.workers) };
    let (queue, own, total) = (Mutex::new(Some(vec![queue; load.workers])), load.clone(), Arc::clone(&counts));
    let guards = timely::execute(config, move |worker| {
        let sink = queue.lock().unwrap_or_else(PoisonError::into_inner).as_mut().and_then(Vec::pop);
        work(worker, &own, schedule, sink.into_iter().collect(), Arc::clone(&total))
    })
    .map_err(|error| anyhow!("cannot start the workers: {error}"))?;
    let mut all = fresh()?;
    for latencies in guards.join() {
        all.add(latencies.map_err(|error| anyhow!("{error}"))??)?;
    }
    thread.join().map_err(|_| anyhow!("the sink has panicked"))?;
    if let Ok(error) = faults.try_recv() {
        return Err(error);
    }
    let counts = *counts.lock().unwrap_or_else(PoisonError::into_inner);
    ensure!(counts.records == load.records as u64 && counts.stalled() == 0, "not all went through: {counts:?}");
    ensure!(all.len() == (load.records - load.warm_up) as u64, "{} records were timed", all.len());
    Ok(all)
}

/// Runs one worker.
fn work(
    worker: &mut Worker,
    load: &Load,
    schedule: Schedule,
    sinks: Vec<Queue>,
    counts: Arc<Mutex<Counts>>,
) -> Result<Latencies> {
    let mine: Rc<[u32]> = load.memory.dealt_to(worker.index(), worker.peers(), load.records).into();
    let (probe, in_flight) = (ProbeHandle::new(), InFlight::new(RefCell::new(VecDeque::new())));
    let offer = Offer {
        memory: Arc::clone(&load.memory),
        schedule,
        batching: load.batching,
        mine: Rc::clone(&mine),
        in_flight: Rc::clone(&in_flight),
    };
    build(worker, offer, sinks, &probe, counts);
    let mut latencies = fresh()?;
    while worker.has_dataflows() {
        worker.step_or_park(None);
        let now = Instant::now();
        source::settled(&in_flight, &probe, |records| {
            for &n in mine[records].iter().filter(|&&n| n as usize >= load.warm_up) {
                let us = now.saturating_duration_since(schedule.arrival(n)).as_micros();
                latencies.saturating_record(u64::try_from(us).unwrap_or(u64::MAX));
            }
        });
    }
    Ok(latencies)
}

/// The dataflow of a replay of citylens, without the sink of detailed GPS.
fn build(worker: &mut Worker, offer: Offer, sinks: Vec<Queue>, probe: &ProbeHandle<u64>, counts: Arc<Mutex<Counts>>) {
    let settings = Settings {
        env: "prod".to_owned(),
        on_malformed: OnMalformed::Stall,
        skips: Skips::default(),
        pipelines: [Pipeline::Citylens].into_iter().collect(),
    };
    worker.dataflow::<u64, _, _>(|scope| {
        let decoded = source::records(scope, offer).decode(&settings);
        let Decoded { tracks, frames, detections, skipped, stalls, .. } = decoded;
        let inputs = Inputs { tracks, frames, detections, skipped };
        let stored = InputSession::new().to_collection(scope);
        let pipeline = citylens::build(inputs, stored, mapping::made, 24 * 3_600_000);
        let rows = outputs::citylens(&pipeline, Route { gather: None, requests: false });
        let written = scope.concatenate(rows).deliver(sinks);
        let stalls = stalls.concat(pipeline.stalls);
        board::keep(Rc::default(), stalls, pipeline.barriers, Arc::default()).probe_with(probe);
        let read = decoded.counts.map(|(_, counts)| counts);
        let totals = written.map(Counts::from).concat(pipeline.counts).concat(read).exchange(|_| 0);
        totals.inspect(move |some| *counts.lock().unwrap_or_else(PoisonError::into_inner) += *some).probe_with(probe);
    });
}
