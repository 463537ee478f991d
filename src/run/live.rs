//! Runs live: starts the threads and workers, waits until they have stopped, says what was done.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use hexflow_dataflows::decode::Stall;
use hexflow_dataflows::pipelines::Pipeline;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use timely::scheduling::SyncActivator;

use super::args::RunArgs;
use super::beats::Heard;
use super::control::{self, Control, share};
use super::dataflow::{self, WorkerPlan};
use super::{signals, watchdog};
use crate::api;
use crate::archive::archiver::Archiving;
use crate::cli::{Failure, print};
use crate::cluster::launch::launch;
use crate::config::Config;
use crate::control::Handle;
use crate::fault::Fault;
use crate::locations::refresh;
use crate::objects::Place;
use crate::progress::Progress;
use crate::query::Stored;
use crate::replay::args::{SummaryFormat, chosen};
use crate::replay::plan::{Outlets, Plan};
use crate::replay::summary::Summary;
use crate::sources::batching::Batching;
use crate::sources::kafka::brokers::Brokers;
use crate::sources::kafka::context::Context;
use crate::sources::kafka::feeder::{Feeder, News};
use crate::sources::kafka::gate::Gate;
use crate::sources::kafka::gather::Gathering;
use crate::sources::kafka::ledger::Ledger;
use crate::sources::kafka::names::Names;
use crate::sources::kafka::source::Feed;
use crate::sources::kafka::watch::Watch;
use crate::sources::kafka::{client, lag, start};
use crate::totals::Totals;

/// Reads the topics until a signal says stop.
pub fn run(args: &RunArgs, config: &Config) -> Result<(), Failure> {
    let addresses = args.cluster.check()?;
    let stored = Arc::new(Stored::new(&args.store, config)?);
    api::start(config.api.listen, args.cluster.neighbours_before(&addresses), stored)?;
    let (stop, under_way) = <(Arc<AtomicBool>, Arc<AtomicBool>)>::default();
    signals::listen(Arc::clone(&stop), Arc::clone(&under_way))?;
    let (fault, faults) = Fault::new();
    let control = Control::start(args, config, &fault)?;
    let consumer = consumer(args, config, &fault, control.handle())?;
    let outlets = Outlets {
        store: &args.store,
        emit: None,
        late: config.archive.url.as_deref().map(Place::parse).transpose().map_err(Failure::usage)?,
        send: config.kafka.send,
        dry_run: false,
        cluster: &args.cluster,
        pipelines: chosen(&args.pipelines),
        afresh: false,
        live: true,
    };
    let mut plan = Plan::new(&outlets, config, &fault)?;
    plan.settings.decode.skips = control.handle().skips().clone();
    let threads = std::mem::take(&mut plan.threads);
    end_at_first(faults)?;
    let archiving = Archiving::start(config, consumer.context().watch.clone(), &fault)?;

    under_way.store(true, Relaxed);
    let began = Instant::now();
    let shared = Shared::default();
    let (workers, ends) = worker_plans(args, config, plan, &shared, &control)?;
    let feeder = start_feeder(args, config, consumer, ends, stop, &shared)?;
    let (workers, first) = (Mutex::new(workers), args.cluster.first_worker());
    watchdog::start(shared.heard.clone(), Arc::clone(&shared.progress), config.progress_timeout, fault)?;
    let guards = launch(&args.cluster, &addresses, move |worker| {
        let plan = workers.lock().unwrap_or_else(PoisonError::into_inner)[worker.index() - first].take();
        plan.map(|plan| dataflow::run(worker, plan))
    })?;
    let stalls = guards.join().into_iter().find_map(|stalls| stalls.ok().flatten()).unwrap_or_default();
    feeder.join().map_err(|_| anyhow!("the feeder's thread has panicked"))??;
    for thread in threads {
        thread.join().map_err(|_| anyhow!("a sink's thread has panicked"))?;
    }
    archiving.map_or(Ok(()), Archiving::finish)?;
    finish(args, &shared, &stalls, began.elapsed())
}

/// What threads write and the end reads.
#[derive(Default)]
struct Shared {
    progress: Arc<Progress>,
    counts: Arc<Mutex<Totals>>,
    heard: Heard,
}

/// Makes the consumer, and moves the group to where the run is to begin. The other processes wait for the first meanwhile.
fn consumer(
    args: &RunArgs,
    config: &Config,
    fault: &Fault,
    control: &Handle,
) -> Result<BaseConsumer<Context>, Failure> {
    let names = Names::of_pipelines(config.kafka.topic_prefix.as_deref(), chosen(&args.pipelines));
    let client = client::config(&config.kafka)?;
    let (ledger, watch) = <(Arc<Mutex<Ledger>>, Watch)>::default();
    let (lag_of, watched, failing) = (Arc::clone(&ledger), watch.clone(), fault.clone());
    let (fault, control) = (fault.clone(), control.clone());
    let told = Brokers::told(&client);
    let context = Context {
        client: told.clone(),
        brokers: Brokers::default(),
        ledger,
        names: names.clone(),
        watch,
        fault,
        control,
        paused: AtomicBool::default(),
        retired: AtomicBool::default(),
    };
    let consumer = client::consumer(&told, context)?;
    lag::start(&client, names.clone(), lag_of, watched, failing)?;
    if args.cluster.process == 0 {
        start::begin(&consumer, &names, &args.from, (&config.kafka.brokers, &config.kafka.group))?;
    }
    Ok(consumer)
}

/// The first error of any thread ends the process: what was acknowledged is stored, the rest is read again.
fn end_at_first(faults: Receiver<anyhow::Error>) -> anyhow::Result<()> {
    let wait = move || {
        if let Ok(error) = faults.recv() {
            tracing::error!("{error:#}");
            std::process::exit(1);
        }
    };
    thread::Builder::new().name("faults".to_owned()).spawn(wait).context("cannot start a thread")?;
    Ok(())
}

/// The feeder's ends of what it shares with the workers.
struct Ends {
    gate: Gate,
    ready: Receiver<(usize, SyncActivator)>,
    news: Receiver<News>,
}

/// What each worker of this process takes along, and the other ends of it.
fn worker_plans(
    args: &RunArgs,
    config: &Config,
    mut plan: Plan,
    shared: &Shared,
    control: &Control,
) -> anyhow::Result<(Vec<Option<WorkerPlan>>, Ends)> {
    let count = args.cluster.workers;
    let (dealers, dealt): (Vec<_>, Vec<_>) = (0..count).map(|_| channel()).unzip();
    let gate = Gate::new(dealers);
    let (ready, are_ready) = channel();
    let (news, told) = channel();
    let mut news = Some(news);
    // One process reads the locations for all, and its first worker takes them in.
    let follows = args.cluster.process == 0 && plan.settings.decode.pipelines.contains(Pipeline::Cameras);
    let known = plan.before.locations.clone();
    let mut located = follows.then(|| refresh::start(config, known, &gate)).transpose()?.flatten();
    let control::Ends { mapper, mapped } = control.map(args, config, &gate)?;
    let workers = dealt.into_iter().zip(mapped).map(|(dealt, mapped)| {
        let flow = plan.flow(mapper.clone(), &shared.counts, &shared.progress);
        let feed = Feed { dealt, gate: gate.clone(), first: news.is_some() };
        let beats = (shared.heard.clone(), args.cluster.process);
        let (news, located) = (news.take(), located.take());
        Some(WorkerPlan { flow, feed, ready: ready.clone(), news, beats, mapped, located })
    });
    Ok((workers.collect(), Ends { gate, ready: are_ready, news: told }))
}

/// Starts reading as soon as all workers can be woken.
fn start_feeder(
    args: &RunArgs,
    config: &Config,
    consumer: BaseConsumer<Context>,
    ends: Ends,
    stop: Arc<AtomicBool>,
    shared: &Shared,
) -> anyhow::Result<JoinHandle<anyhow::Result<()>>> {
    let share = share(args);
    let citylens = &config.kafka.citylens;
    // An epoch is a batch of each of the partitions that a process reads at a time.
    let batch_size = citylens.batch_size * citylens.max_concurrency;
    let rule = Batching { batch_size, linger: Duration::from_millis(citylens.linger_ms) };
    let gathering = Gathering::new(share, rule);
    let (progress, retry_interval) = (Arc::clone(&shared.progress), config.retry_interval);
    let run = move || {
        let mut workers: Vec<_> = ends.ready.iter().take(share.count).collect();
        workers.sort_by_key(|&(index, _)| index);
        ends.gate.wake_by(workers.into_iter().map(|(_, activator)| activator).collect());
        Feeder::new(consumer, ends.gate, gathering, retry_interval, ends.news, stop, progress).run(signals::end_in_time)
    };
    thread::Builder::new().name("feeder".to_owned()).spawn(run).context("cannot start a thread")
}

/// Says what was done. Only the first process knows the counts of all.
fn finish(args: &RunArgs, shared: &Shared, stalls: &[Stall], elapsed: Duration) -> Result<(), Failure> {
    if args.cluster.process == 0 {
        let totals = *shared.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let summary = Summary::new(&totals, chosen(&args.pipelines), stalls, &shared.progress, elapsed);
        match args.summary {
            SummaryFormat::Table => print(summary.table().as_bytes())?,
            SummaryFormat::Json => print(summary.json()?.as_bytes())?,
        }
        eprint!("{}", summary.stalls_table());
    }
    Ok(())
}
