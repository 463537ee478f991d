//! `hexflow bench live`: a run on real servers, from a record's Kafka timestamp until its store lets it be read.
//!
//! ```text
//!   hexflow generate -> producer, at a rate -> Kafka -> hexflow run -> store <- looks for one record of 2,000
//!                                                                  -> Kafka: what citylens sends on
//! ```
//! All share the machine. A row beside the rates is a backlog: produced first, then read as fast as it goes.

mod probes;
mod producer;
mod reader;
mod servers;
mod watched;
mod work;

use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hdrhistogram::Histogram;
use hexflow::bench::BenchArgs;

use self::reader::{Reader, Store};
use self::servers::Servers;
use self::watched::Watched;
use self::work::Work;
use crate::programs::hexflow;
use crate::report::{Cell, Column, Report};

/// Records of a backlog, unless `--events` says otherwise.
const BACKLOG: u64 = 500_000;

/// How long a rate is offered unless `--seconds` says otherwise.
const SECONDS: u64 = 60;

/// Measures each rate, then a backlog, each on servers and tables of its own.
pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    let works: Vec<_> = [Work::Citylens, Work::Sensors, Work::Cameras]
        .into_iter()
        .filter(|work| args.only.is_empty() || args.only.iter().any(|only| only == work.name()))
        .collect();
    let mut report = Report::new("live", "From a record's Kafka timestamp until its store lets it be read, ms");
    report.columns([
        Column::text("pipeline", "pipeline"),
        Column::text("store", "store"),
        Column::text("what", "what"),
        Column::figure("workers", "workers", 0),
        Column::figure("records", "records", 0),
        Column::figure("rate", "records/s", 0),
        Column::figure("p50_ms", "p50", 0),
        Column::figure("p99_ms", "p99", 0),
        Column::figure("max_ms", "max", 0),
        Column::figure("cpu", "cores", 2),
        Column::figure("early_mib", "MiB early", 0),
        Column::figure("late_mib", "MiB late", 0),
    ]);
    let seconds = args.seconds.unwrap_or(SECONDS);
    let subjects = works.iter().flat_map(|work| work.stores().iter().map(move |store| (*work, *store)));
    for (subject, &workers) in subjects.flat_map(|subject| args.workers.iter().map(move |workers| (subject, workers))) {
        for &rate in &args.rate {
            report.row(measure(subject, workers, rate * seconds, Some(rate))?);
        }
        report.row(measure(subject, workers, args.events.unwrap_or(BACKLOG), None)?);
    }
    report.note(format!("latencies are those of records produced after the first {} s", producer::WARM_UP.as_secs()));
    report.note("cores and memory are the run's alone; the servers and the producer share the machine");
    report.print(args.json)
}

/// One run: `records` at a rate, or all before it begins.
fn measure((work, store): (Work, Store), workers: u64, records: u64, rate: Option<u64>) -> Result<[Cell; 12]> {
    let servers = Servers::start()?;
    let folder = servers.folder.path();
    let mut migrate = Command::new(hexflow());
    migrate.arg("migrate").args(servers.settings());
    if !migrate.output().context("cannot run hexflow")?.status.success() {
        bail!("hexflow migrate has failed");
    }
    let start = || Watched::start(workers, work.name(), &store.option(folder), &servers.settings());
    let (probes, wanted) = channel();
    let brokers = servers.brokers.clone();
    let produce = move || producer::produce(&brokers, work, records, rate, &probes);
    let (latencies, watched, elapsed) = match rate {
        Some(_) => {
            let run = start()?;
            let began = Instant::now();
            let producer = thread::spawn(produce);
            let reader = reader((work, store), &servers)?;
            let latencies = probes::look(&reader, &wanted)?;
            let produced = producer.join().ok().context("the producer has panicked")??;
            wait_for(&reader, produced)?;
            (Some(latencies), run.end()?, began.elapsed())
        }
        None => {
            let produced = produce()?;
            drop(wanted);
            let run = start()?;
            let began = Instant::now();
            wait_for(&reader((work, store), &servers)?, produced)?;
            let elapsed = began.elapsed();
            (None, run.end()?, elapsed)
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "a figure")]
    let reached = records as f64 / elapsed.as_secs_f64();
    let quantile =
        |of: f64| latencies.as_ref().map_or(Cell::NOTHING, |all: &Histogram<u64>| all.value_at_quantile(of).into());
    Ok([
        work.name().into(),
        store.name().into(),
        if rate.is_some() { "steady" } else { "backlog" }.into(),
        workers.into(),
        records.into(),
        reached.into(),
        quantile(0.5),
        quantile(0.99),
        quantile(1.0),
        (watched.cpu_seconds / elapsed.as_secs_f64()).into(),
        watched.early_mib.into(),
        watched.late_mib.into(),
    ])
}

/// A reader of the store, once it is there.
fn reader((work, store): (Work, Store), servers: &Servers) -> Result<Reader> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let reader = Reader::new(work, store, &servers.clickhouse, servers.folder.path());
        match reader.and_then(|reader| reader.count().map(|_| reader)) {
            Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(100)),
            ready => return ready,
        }
    }
}

/// Waits until so many records have their rows.
fn wait_for(reader: &Reader, records: u64) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(3_600);
    while Instant::now() < deadline {
        if reader.count()? >= records {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(100));
    }
    bail!("not all of {records} records have come within an hour")
}
