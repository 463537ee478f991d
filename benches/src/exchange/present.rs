//! The ways of today's timely: columns, and owned rows that it writes with bincode.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use columnar::Index;
use hexflow::cluster::args::ClusterArgs;
use hexflow::cluster::launch::launch;
use hexflow_dataflows::rows::Detection;
use hexflow_operators::{Batch, ExchangeBy};
use timely::Container;
use timely::dataflow::channels::ContainerBytes;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::dataflow::operators::{Exchange, Input, Probe};
use timely::dataflow::{InputHandle, ProbeHandle, Stream};
use timely::worker::Worker;

use super::fields::{Fields, halves};
use super::owned::{self, Tuple};
use super::route::Route;
use super::{Found, Path, Way, rows};

/// What a way of sending rows does with its containers.
trait Form: Container + Clone + ContainerBytes + Send + Sync {
    fn route(stream: Stream<'_, u64, Self>, mine: u64, route: Route) -> Stream<'_, u64, Self>;
    fn sum(&self) -> u64;
}

impl Form for Batch<Detection> {
    fn route(stream: Stream<'_, u64, Self>, mine: u64, route: Route) -> Stream<'_, u64, Self> {
        stream.exchange_by(move |seen, row| route.to(mine, halves(seen.meta.key.get(row))[1]))
    }

    fn sum(&self) -> u64 {
        self.iter().fold(0, |sum, row| Fields::of(row).hash().wrapping_add(sum))
    }
}

impl Form for Vec<Tuple> {
    fn route(stream: Stream<'_, u64, Self>, mine: u64, route: Route) -> Stream<'_, u64, Self> {
        stream.exchange(move |row| route.to(mine, row.1.2.1))
    }

    fn sum(&self) -> u64 {
        self.iter().fold(0, |sum, row| owned::fields(row).hash().wrapping_add(sum))
    }
}

/// Runs one way over one path.
pub(super) fn run(way: Way, path: &Path, batches: Vec<Batch<Detection>>, runs: usize) -> Result<Found> {
    match way {
        Way::Columns => all(path, batches, runs),
        _ => all(path, rows::owned(&batches), runs),
    }
}

fn all<C: Form>(path: &Path, containers: Vec<C>, runs: usize) -> Result<Found> {
    let (workers, processes, process) = path.shape();
    let cluster = ClusterArgs {
        workers,
        processes,
        process,
        hostfile: None,
        hosts: path.addresses(),
        zerocopy: *path == Path::Bytes,
    };
    let bytes = containers.iter().map(|container| container.length_in_bytes() as u64).sum();
    let containers = Arc::new(containers);
    let guards = launch(&cluster, &path.addresses(), move |worker| {
        let each = |route| (0..runs).map(|_| once(worker, &containers, route)).collect();
        Route::ALL.map(each)
    })?;
    let workers = guards.join().into_iter().collect::<Result<Vec<_>, _>>().map_err(|error| anyhow!("{error}"))?;
    Ok(Found { bytes, workers })
}

/// Sends this worker's half of the containers; how long it took until all had arrived, and the sum of what came here.
fn once<C: Form>(worker: &mut Worker, containers: &[C], route: Route) -> (Duration, u64) {
    let (mut input, probe, sum) = (InputHandle::new(), ProbeHandle::new(), Rc::new(Cell::new(0u64)));
    let (count, mine) = (Rc::clone(&sum), worker.index() as u64);
    worker.dataflow::<u64, _, _>(|scope| {
        let arrived = C::route(scope.input_from(&mut input), mine, route);
        let ends = arrived.unary::<timely::container::CapacityContainerBuilder<Vec<()>>, _, _, _>(
            Pipeline,
            "Sum",
            move |_capability, _info| {
                move |input, _output| {
                    input.for_each(|_time, container| count.set(count.get().wrapping_add(container.sum())));
                }
            },
        );
        ends.probe_with(&probe);
    });
    let mut own: Vec<C> = containers.iter().skip(worker.index()).step_by(worker.peers()).cloned().collect();
    // Begins when all workers are here.
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
