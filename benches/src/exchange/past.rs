//! The way of timely until 0.12: abomonation, which writes rows as they lie in memory and reads them in place.
//!
//! **Here only to be measured.** It is unsound, it reads padding and makes references to what need not be valid
//! (RUSTSEC-2021-0120), and nobody maintains it. No other part of hexflow may use it or this timely.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use abomonation::measure;
use anyhow::{Result, anyhow};
use timely012::communication::Allocate;
use timely012::communication::allocator::zero_copy::allocator_process::ProcessBuilder;
use timely012::communication::initialize::WorkerGuards;
use timely012::dataflow::channels::pact::Pipeline;
use timely012::dataflow::operators::generic::Operator;
use timely012::dataflow::operators::{Exchange, Input, Probe};
use timely012::dataflow::{InputHandle, ProbeHandle};
use timely012::execute::execute_from;
use timely012::worker::Worker;
use timely012::{CommunicationConfig, Config, WorkerConfig};

use super::owned::{self, Tuple};
use super::route::Route;
use super::{Found, Path};

/// Runs it over one path.
pub(super) fn run(path: &Path, containers: Vec<Vec<Tuple>>, runs: usize) -> Result<Found> {
    let bytes = containers.iter().map(|container| measure(container) as u64).sum();
    let containers = Arc::new(containers);
    let guards = start(path, containers, runs).map_err(|error| anyhow!("cannot start the workers: {error}"))?;
    let workers = guards.join().into_iter().collect::<Result<Vec<_>, _>>().map_err(|error| anyhow!("{error}"))?;
    Ok(Found { bytes, workers })
}

type Told = [Vec<(Duration, u64)>; 3];

fn start(path: &Path, containers: Arc<Vec<Vec<Tuple>>>, runs: usize) -> Result<WorkerGuards<Told>, String> {
    let (threads, processes, process) = path.shape();
    if *path == Path::Bytes {
        let (builders, worker) = (ProcessBuilder::new_vector(threads), WorkerConfig::default());
        return execute_from(builders, Box::new(()), worker, move |worker| each(worker, &containers, runs));
    }
    let communication = if processes == 1 {
        CommunicationConfig::Process(threads)
    } else {
        let (addresses, log_fn) = (path.addresses(), Box::new(|_| None));
        CommunicationConfig::Cluster { threads, process, addresses, report: false, log_fn }
    };
    let config = Config { communication, worker: WorkerConfig::default() };
    timely012::execute(config, move |worker| each(worker, &containers, runs))
}

fn each<A: Allocate>(worker: &mut Worker<A>, containers: &[Vec<Tuple>], runs: usize) -> Told {
    Route::ALL.map(|route| (0..runs).map(|_| once(worker, containers, route)).collect())
}

/// As today's does it; rows that came as bytes are read where they lie.
fn once<A: Allocate>(worker: &mut Worker<A>, containers: &[Vec<Tuple>], route: Route) -> (Duration, u64) {
    let (mut input, mut probe, sum) = (InputHandle::new(), ProbeHandle::new(), Rc::new(Cell::new(0u64)));
    let (count, mine) = (Rc::clone(&sum), worker.index() as u64);
    worker.dataflow::<u64, _, _>(|scope| {
        let rows = scope.input_from(&mut input);
        let arrived = rows.exchange(move |row: &Tuple| route.to(mine, row.1.2.1));
        let ends = arrived.unary(Pipeline, "Sum", move |_capability, _info| {
            move |input, _output: &mut timely012::dataflow::operators::generic::OutputHandle<'_, u64, (), _>| {
                input.for_each(|_time, rows| {
                    let some = rows.iter().fold(0u64, |sum, row| owned::fields(row).hash().wrapping_add(sum));
                    count.set(count.get().wrapping_add(some));
                });
            }
        });
        ends.probe_with(&mut probe);
    });
    let mut own: Vec<Vec<Tuple>> = containers.iter().skip(worker.index()).step_by(worker.peers()).cloned().collect();
    input.advance_to(1);
    worker.step_or_park_while(None, || probe.less_than(&1));
    let began = Instant::now();
    for container in &mut own {
        input.send_batch(container);
        worker.step();
    }
    input.close();
    worker.step_or_park_while(None, || !probe.done());
    (began.elapsed(), sum.get())
}
