//! Starts the workers of this process.

use anyhow::{Result, anyhow};
use timely::WorkerConfig;
use timely::communication::allocator::zero_copy::initialize::initialize_networking_from_sockets;
use timely::communication::allocator::{AllocatorBuilder, ProcessBuilder};
use timely::communication::{Config, Hooks, WorkerGuards};
use timely::worker::Worker;

use super::args::ClusterArgs;
use super::connect::connect;

/// Starts this process's workers, each of which runs `run`. `addresses` is what [`ClusterArgs::check`] yields.
pub fn launch<T: Send + 'static>(
    args: &ClusterArgs,
    addresses: &[String],
    run: impl Fn(&mut Worker) -> T + Send + Sync + 'static,
) -> Result<WorkerGuards<T>> {
    let failed = |error| anyhow!("cannot start the workers: {error}");
    let (builders, guard) = if args.processes == 1 {
        let config = match args.workers {
            workers if args.zerocopy => Config::ProcessBinary(workers),
            1 => Config::Thread,
            workers => Config::Process(workers),
        };
        config.try_build().map_err(failed)?
    } else {
        let sockets = connect(addresses, args.process)?;
        let hooks = Hooks::default();
        let within = if args.zerocopy { ProcessBuilder::new_bytes_vector } else { ProcessBuilder::new_typed_vector };
        let workers = within(args.workers, hooks.refill.clone(), None);
        let (builders, guard) =
            initialize_networking_from_sockets(workers, sockets, args.process, args.workers, hooks)?;
        let builders: Vec<_> = builders.into_iter().map(AllocatorBuilder::Tcp).collect();
        (builders, Box::new(guard) as Box<dyn std::any::Any + Send>)
    };
    timely::execute::execute_from(builders, guard, WorkerConfig::default(), run).map_err(failed)
}
