//! `hexflow bench windows`: sensors and cameras replayed into each store, in turns with engines that find the same rows.

mod dumps;
mod rows;
mod subject;

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use hexflow::bench::BenchArgs;

use self::dumps::Dumps;
use self::rows::{Found, found};
use self::subject::{Program, Subject};
use crate::peers::engine::{self, engines};
use crate::peers::say;
use crate::report::{Column, Report};
use crate::statistics::{least, median, most, ratio, spread};

/// The pipelines that have windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pipeline {
    /// Movements.
    Sensors,
    /// Camera detections.
    Cameras,
}

/// Measures both pipelines.
pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    let [scripts, cache] = engine::places()?;
    let engines = engines(&scripts, &cache, engine::WINDOWS, &args.only)?;
    for engine in &engines {
        say(&format!("installing {}, if it is not there", engine.name));
        engine.install()?;
    }
    let mut report = Report::new(
        "windows",
        "Visits, speeds and windows of movements; detections named, once each, and windows of them",
    );
    report.columns([
        Column::text("pipeline", "pipeline"),
        Column::text("what", "what"),
        Column::figure("parallelism", "par", 0),
        Column::unprinted("runs"),
        Column::figure("best_seconds", "best s", 2),
        Column::figure("median_seconds", "median", 2),
        Column::percent("spread", "spread"),
        Column::figure("records_per_second", "records/s", 0),
        Column::figure("cpu_seconds", "CPU s", 2),
        Column::figure("records_per_cpu_second", "records/CPU s", 0),
        Column::figure("peak_mib", "peak MiB", 0),
        Column::figure("to_it", "hexflow x", 2),
    ]);
    for pipeline in [Pipeline::Sensors, Pipeline::Cameras] {
        let temporary = tempfile::tempdir()?;
        say(&format!("making dumps of {}", pipeline.name()));
        let dumps = dumps::make(pipeline, args.events.unwrap_or(1_000_000), &temporary.path().join("dumps"))?;
        let mut subjects = subject::all(&engines, &args.workers);
        measure(args.runs, &mut subjects, &dumps, &temporary.path().join("out"))?;
        report.fact(pipeline.name(), dumps.records);
        subjects.iter().for_each(|one| tell(&mut report, one, &subjects, &dumps));
    }
    report.note(
        "5% delivered again, up to 2 s out of order; all from start to end of the process; hexflow x: how many times as fast \
         hexflow into ndjson is at the same parallelism\nndjson and the engines found the same rows, figures to six digits",
    );
    report.print(args.json)
}

/// Runs all in turns; whoever leaves rows leaves the same.
fn measure(rounds: u64, subjects: &mut [Subject], dumps: &Dumps, out: &Path) -> Result<()> {
    let mut expected: Option<Found> = None;
    for round in 0..rounds {
        for subject in &mut *subjects {
            say(&format!("round {}: {}, parallelism {}", round + 1, subject.name(), subject.parallelism));
            fs::create_dir_all(out)?;
            subject.run(dumps, out)?;
            if round == 0 && subject.leaves_lines() {
                let found = found(dumps.pipeline, out)?;
                let expected = *expected.get_or_insert(found);
                ensure!(found.iter().all(|table| table.rows > 0), "{} found nothing", subject.name());
                ensure!(found == expected, "{} found other rows: {found:?}, and not {expected:?}", subject.name());
            }
            fs::remove_dir_all(out)?;
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "figures are rounded")]
fn tell(report: &mut Report, subject: &Subject, all: &[Subject], dumps: &Dumps) {
    let hexflow = all.iter().find(|other| other.program == Program::Lines && other.parallelism == subject.parallelism);
    let seconds = || subject.runs.iter().map(|run| run.seconds);
    let cpu_seconds = median(subject.runs.iter().map(|run| run.cpu_seconds));
    let to_it = hexflow.map_or(f64::NAN, |hexflow| ratio(seconds(), hexflow.runs.iter().map(|run| run.seconds)));
    report.row([
        dumps.pipeline.name().into(),
        subject.name().into(),
        subject.parallelism.into(),
        crate::report::Cell::list(seconds()),
        least(seconds()).into(),
        median(seconds()).into(),
        spread(seconds()).into(),
        (dumps.records as f64 / median(seconds())).into(),
        cpu_seconds.into(),
        (dumps.records as f64 / cpu_seconds).into(),
        (most(subject.runs.iter().map(|run| run.peak_kib as f64)) / 1024.0).into(),
        to_it.into(),
    ]);
}

impl Pipeline {
    /// How `--pipelines` calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Pipeline::Sensors => "sensors",
            Pipeline::Cameras => "cameras",
        }
    }
}
