//! Runs a replay: starts its threads and workers, waits for them, says what was done.

use std::path::Path;
use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, anyhow};
use hexflow_dataflows::decode::Stall;

use super::args::{ReplayArgs, SummaryFormat, chosen};
use super::bar::Bar;
use super::control;
use super::dataflow::{self, WorkerPlan};
use super::plan::{Outlets, Plan};
use super::summary::Summary;
use crate::archive::fetch::{self, Wanted};
use crate::cli::{Failure, print};
use crate::cluster::launch::launch;
use crate::config::Config;
use crate::control::Mapper;
use crate::fault::Fault;
use crate::objects::Place;
use crate::progress::Progress;
use crate::sources::dump::files::{self, Dump};
use crate::sources::dump::problems::Problems;
use crate::sources::dump::sequencer::{self, Again, Sequencer, Share};
use crate::totals::Totals;

/// Slices that may wait for a worker: reading stays this far ahead.
const SLICES_AHEAD: usize = 2;

/// Replays the dumps that `args` name.
pub fn run(args: &ReplayArgs, config: &Config) -> Result<(), Failure> {
    let addresses = args.cluster.check()?;
    if args.cluster.processes > 1 && args.paths.iter().any(|path| path == Path::new("-")) {
        return Err(Failure::usage("standard input reaches one process only, and each reads all dumps: give files"));
    }
    let dumps = dumps(args, config)?;
    let (fault, faults) = Fault::new();
    let mut plan = Plan::new(&outlets(args), config, &fault)?;
    let mapper = control::prepare(args, config, &mut plan, &fault)?;
    let threads = std::mem::take(&mut plan.threads);
    let shared = Shared::default();
    let bar = Bar::start(dumps.iter().map(|dump| dump.bytes).sum(), &shared.progress);
    end_at_first(faults, bar.clone())?;

    let began = Instant::now();
    let (workers, ready) = worker_plans(args, plan, mapper, &shared);
    // An epoch is a batch of each of the partitions that a process reads at a time.
    let epoch_lines = config.kafka.citylens.batch_size * config.kafka.citylens.max_concurrency;
    start_sequencer(args, dumps, epoch_lines, ready, &shared)?;
    let (workers, first) = (Mutex::new(workers), args.cluster.first_worker());
    let guards = launch(&args.cluster, &addresses, move |worker| {
        let plan = workers.lock().unwrap_or_else(PoisonError::into_inner)[worker.index() - first].take();
        plan.map(|plan| dataflow::run(worker, plan))
    })?;
    let stalls = guards.join().into_iter().find_map(|stalls| stalls.ok().flatten()).unwrap_or_default();
    for thread in threads {
        thread.join().map_err(|_| anyhow!("a sink's thread has panicked"))?;
    }
    bar.finish();

    let totals = *shared.counts.lock().unwrap_or_else(PoisonError::into_inner);
    let summary = Summary::new(&totals, chosen(&args.pipelines), &stalls, &shared.progress, began.elapsed());
    control::finish(args, config, &stalls)?;
    finish(args, &summary, &stalls, &shared.problems.told())
}

/// What the paths name: files, and archives.
fn dumps(args: &ReplayArgs, config: &Config) -> Result<Vec<Dump>, Failure> {
    let (archives, files): (Vec<_>, Vec<_>) = args.paths.iter().cloned().partition(|path| fetch::url(path).is_some());
    if archives.is_empty() && (args.from.is_some() || args.to.is_some()) {
        return Err(Failure::usage("--from and --to are of archives, s3://.. or file://..; of files all is replayed"));
    }
    let mut dumps = files::find(&files)?;
    let wanted = Wanted { pipelines: chosen(&args.pipelines), from: args.from, to: args.to };
    for url in archives.iter().filter_map(|path| fetch::url(path)) {
        dumps.extend(fetch::dumps(url, config, wanted)?);
    }
    Ok(dumps)
}

fn outlets(args: &ReplayArgs) -> Outlets<'_> {
    let ReplayArgs { store, emit, dry_run, cluster, pipelines, .. } = args;
    let pipelines = chosen(pipelines);
    let late = emit.clone().map(Place::Folder);
    Outlets {
        store,
        emit: emit.as_deref(),
        late,
        send: false,
        dry_run: *dry_run,
        cluster,
        pipelines,
        afresh: true,
        live: false,
    }
}

/// What threads write and the end reads.
#[derive(Default)]
struct Shared {
    progress: Arc<Progress>,
    problems: Arc<Problems>,
    counts: Arc<Mutex<Totals>>,
}

/// The first error of any sink ends the process: what was acknowledged is stored, and nothing else may wait for it.
fn end_at_first(faults: Receiver<anyhow::Error>, bar: Bar) -> anyhow::Result<()> {
    let wait = move || {
        if let Ok(error) = faults.recv() {
            bar.finish();
            eprintln!("hexflow: {error:#}");
            std::process::exit(1);
        }
    };
    thread::Builder::new().name("faults".to_owned()).spawn(wait).context("cannot start a thread")?;
    Ok(())
}

type Ready = (Receiver<(usize, sequencer::Worker)>, Receiver<Again>);

/// What each worker of this process takes along; and where they say that they are ready, and what to read again.
fn worker_plans(
    args: &ReplayArgs,
    mut plan: Plan,
    mapper: Option<Mapper>,
    shared: &Shared,
) -> (Vec<Option<WorkerPlan>>, Ready) {
    let (workers, ready) = channel();
    let (again, asked) = channel();
    let mut again = Some(again);
    let plans = (0..args.cluster.workers).map(|_| {
        let (dealer, dealt) = sync_channel(SLICES_AHEAD);
        let flow = plan.flow(mapper.clone(), &shared.counts, &shared.progress);
        Some(WorkerPlan { flow, dealt, dealer, workers: workers.clone(), again: again.take() })
    });
    (plans.collect(), (ready, asked))
}

/// Starts reading as soon as all workers can be woken.
fn start_sequencer(
    args: &ReplayArgs,
    dumps: Vec<Dump>,
    epoch_lines: usize,
    (ready, again): Ready,
    shared: &Shared,
) -> anyhow::Result<()> {
    let share = Share { first: args.cluster.first_worker(), peers: args.cluster.peers() };
    let (count, problems, progress) =
        (args.cluster.workers, Arc::clone(&shared.problems), Arc::clone(&shared.progress));
    let pipelines = chosen(&args.pipelines);
    let run = move || {
        let mut workers: Vec<_> = ready.iter().take(count).collect();
        workers.sort_by_key(|&(index, _)| index);
        let workers = workers.into_iter().map(|(_, worker)| worker).collect();
        Sequencer { dumps, pipelines, epoch_lines, share, workers, again, problems, progress }.run();
    };
    thread::Builder::new().name("sequencer".to_owned()).spawn(run).context("cannot start a thread")?;
    Ok(())
}

/// Says what was done, and how it ended. Only the first process knows the counts of all.
fn finish(args: &ReplayArgs, summary: &Summary, stalls: &[Stall], problems: &[String]) -> Result<(), Failure> {
    if args.cluster.process == 0 {
        match args.summary {
            SummaryFormat::Table => print(summary.table().as_bytes())?,
            SummaryFormat::Json => print(summary.json()?.as_bytes())?,
        }
        eprint!("{}", summary.stalls_table());
    }
    if !problems.is_empty() {
        return Err(Failure::Run(anyhow!("{}", problems.join("\nhexflow: "))));
    }
    if stalls.is_empty() { Ok(()) } else { Err(Failure::Stalled) }
}
