//! `hexflow bench latency`: from a record's arrival to its effects being settled, at an offered rate.
//!
//! ```text
//!   schedule -> source, batches of 500 or 100 ms -> citylens pipeline -> deliver -> null sink's thread
//!   ^ a record's latency begins                          and ends when the frontier has passed it
//! ```
//! Records are in memory and carry the envelope of a dump, whose reading is included. One process; any number of workers.

mod dataflow;
mod highest;
mod schedule;
mod source;

use std::sync::Arc;

use anyhow::Result;
use hexflow::bench::BenchArgs;
use hexflow::sources::batching::Batching;

use self::dataflow::{Latencies, Load};
use crate::records::Memory;
use crate::report::{Cell, Column, Report, grouped};

/// Records in memory unless `--events` says otherwise; a rate above a tenth of it is offered for less than [`SECONDS`].
const RECORDS: u64 = 1_500_000;

/// How long a rate is offered, s.
const SECONDS: u64 = 10;

/// One part of so many of a run is not counted: a fresh process's first pages and tables.
const WARM_UP: usize = 5;

/// Percentiles told.
const PERCENTILES: [f64; 4] = [50.0, 90.0, 99.0, 99.9];

/// Measures latencies at the rates asked for, then looks for the highest rate held.
pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    let memory = Arc::new(Memory::generate(args.events.unwrap_or(RECORDS))?);
    let batching = Batching::default();
    let mut report = Report::new("latency", "From a record's scheduled arrival to its effects being settled, ms");
    report.fact("batch_size", batching.batch_size).fact("linger_ms", batching.linger.as_secs_f64() * 1e3);
    report.fact("records", memory.len()).fact("bytes_per_record", memory.bytes / memory.len().max(1));
    report.fact("runs", args.runs).columns([
        Column::text("what", "what"),
        Column::figure("workers", "workers", 0),
        Column::figure("rate", "records/s", 0),
        Column::figure("seconds", "s", 1),
        Column::figure("p50_ms", "p50", 1),
        Column::figure("p90_ms", "p90", 1),
        Column::figure("p99_ms", "p99", 1),
        Column::figure("p999_ms", "p99.9", 1),
        Column::figure("max_ms", "max", 1),
        Column::unprinted("p99_ms_of_runs"),
    ]);
    for &workers in &args.workers {
        let workers = usize::try_from(workers)?;
        let load = Load { memory: Arc::clone(&memory), batching, workers, rate: 0, records: 0, warm_up: 0 };
        for &rate in &args.rate {
            let load = load.at(rate);
            let runs = (0..args.runs).map(|_| dataflow::run(&load)).collect::<Result<Vec<_>>>()?;
            report.row(row("asked", &load, &runs)?);
        }
        let highest = highest::search(&load, |load, run| {
            report.row(row("search", load, std::slice::from_ref(run))?);
            Ok(())
        })?;
        let highest = grouped(highest as f64, 0);
        report.note(format!(
            "{workers} workers hold {highest} records/s with p99 under {} ms",
            highest::BOUND_US / 1_000
        ));
    }
    report.note(
        "a run's first fifth is not counted; where a batch fills later than it lingers, the linger is the latency",
    );
    report.print(args.json)
}

impl Load {
    /// This load at another rate: as many records as come in [`SECONDS`], if there are so many.
    fn at(&self, rate: u64) -> Self {
        let records = usize::try_from(rate * SECONDS).unwrap_or(usize::MAX).min(self.memory.len());
        Load { rate, records, warm_up: records / WARM_UP, ..self.clone() }
    }
}

/// A line of the report: all runs together.
fn row(what: &str, load: &Load, runs: &[Latencies]) -> Result<Vec<Cell>> {
    let mut all = dataflow::fresh()?;
    for run in runs {
        all.add(run)?;
    }
    let ms = |us: u64| us as f64 / 1e3;
    let seconds = load.records as f64 / load.rate as f64;
    let mut cells: Vec<Cell> = vec![what.into(), load.workers.into(), load.rate.into(), seconds.into()];
    cells.extend(PERCENTILES.map(|percent| Cell::from(ms(all.value_at_percentile(percent)))));
    cells.extend([ms(all.max()).into(), Cell::list(runs.iter().map(|run| ms(run.value_at_percentile(99.0))))]);
    Ok(cells)
}
