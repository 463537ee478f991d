//! `hexflow bench live`: a run on real servers, from a record's Kafka timestamp until ClickHouse lets it be read.
//!
//! ```text
//!   hexflow generate -> producer, at a rate -> Kafka -> hexflow run -> ClickHouse <- looks for one detection of 2,000
//!                                                                  -> Kafka: what is sent on
//! ```
//! All share the machine. A row beside the rates is a backlog: produced first, then read as fast as it goes.

mod probes;
mod producer;
mod servers;
mod watched;

use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hdrhistogram::Histogram;
use hexflow::bench::BenchArgs;
use hexflow::clickhouse::Server;
use hexflow::config::Config;
use hexflow::patience::Failure;

use self::servers::Servers;
use self::watched::Watched;
use crate::programs::hexflow;
use crate::report::{Cell, Column, Report};

/// Records of a backlog, unless `--events` says otherwise.
const BACKLOG: u64 = 500_000;

/// How long a rate is offered unless `--seconds` says otherwise.
const SECONDS: u64 = 60;

/// Measures each rate, then a backlog, each on servers and tables of its own.
pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    let mut report = Report::new("live", "From a record's Kafka timestamp until ClickHouse lets it be read, ms");
    report.columns([
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
    for &workers in &args.workers {
        for &rate in &args.rate {
            let row = measure("steady", workers, rate * seconds, Some(rate))?;
            report.row(row);
        }
        report.row(measure("backlog", workers, args.events.unwrap_or(BACKLOG), None)?);
    }
    report.note(format!("latencies are those of records produced after the first {} s", producer::WARM_UP.as_secs()));
    report.note("cores and memory are the run's alone; the servers and the producer share the machine");
    report.print(args.json)
}

/// One run: `records` at a rate, or all before it begins.
fn measure(what: &str, workers: u64, records: u64, rate: Option<u64>) -> Result<[Cell; 10]> {
    let servers = Servers::start()?;
    let mut migrate = Command::new(hexflow());
    migrate.arg("migrate").args(servers.settings());
    if !migrate.output().context("cannot run hexflow")?.status.success() {
        bail!("hexflow migrate has failed");
    }
    let mut config = Config::default();
    config.clickhouse.url.clone_from(&servers.clickhouse);
    let server = Server::new(&config.clickhouse)?;
    let (probes, wanted) = channel();
    let brokers = servers.brokers.clone();
    let produce = move || producer::produce(&brokers, records, rate, records, probes);
    let (latencies, watched, elapsed) = match rate {
        Some(_) => {
            let run = Watched::start(workers, &servers.settings())?;
            let began = Instant::now();
            let producer = thread::spawn(produce);
            let latencies = probes::look(&server, &wanted)?;
            let produced = producer.join().ok().context("the producer has panicked")??;
            wait_for(&server, produced)?;
            (Some(latencies), run.end()?, began.elapsed())
        }
        None => {
            let produced = produce()?;
            drop(wanted);
            let run = Watched::start(workers, &servers.settings())?;
            let began = Instant::now();
            wait_for(&server, produced)?;
            let elapsed = began.elapsed();
            (None, run.end()?, elapsed)
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "a figure")]
    let reached = records as f64 / elapsed.as_secs_f64();
    let quantile =
        |of: f64| latencies.as_ref().map_or(Cell::NOTHING, |all: &Histogram<u64>| all.value_at_quantile(of).into());
    let cores = watched.cpu_seconds / elapsed.as_secs_f64();
    let (early, late) = (watched.early_mib, watched.late_mib);
    Ok([
        what.into(),
        workers.into(),
        records.into(),
        reached.into(),
        quantile(0.5),
        quantile(0.99),
        quantile(1.0),
        cores.into(),
        early.into(),
        late.into(),
    ])
}

/// Waits until so many audits stand: one for each record, of which none comes twice.
fn wait_for(server: &Server, records: u64) -> Result<()> {
    let query = format!("SELECT toString(count()) FROM {}", server.table("audit_log"));
    let deadline = Instant::now() + Duration::from_secs(3_600);
    while Instant::now() < deadline {
        let count = server.texts::<1>(&query).map_err(Failure::told)?;
        if count.first().and_then(|[count]| count.parse::<u64>().ok()).is_some_and(|count| count >= records) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(100));
    }
    bail!("not all of {records} records have come within an hour")
}
