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
use self::subject::{Contender, Program};
use crate::peers::engine::{self, engines};
use crate::peers::say;
use crate::report::{Column, Report};
use crate::statistics::median;
use crate::subjects::{Subject, common_cells, common_columns, in_turns};

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
    report.columns(
        [Column::text("pipeline", "pipeline"), Column::figure("parallelism", "par", 0)]
            .into_iter()
            .chain(common_columns())
            .chain([
                Column::figure("records_per_cpu_second", "records/CPU s", 0),
                Column::figure("to_it", "hexflow x", 2),
            ]),
    );
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
fn measure(rounds: u64, subjects: &mut [Subject<Contender>], dumps: &Dumps, out: &Path) -> Result<()> {
    let mut expected: Option<Found> = None;
    in_turns(rounds, subjects, |name, contender| {
        say(&format!("{name}, parallelism {}", contender.parallelism));
        fs::create_dir_all(out)?;
        let run = contender.run(dumps, out)?;
        if contender.program.leaves_lines() {
            let found = found(dumps.pipeline, out)?;
            let expected = *expected.get_or_insert(found);
            ensure!(found.iter().all(|table| table.rows > 0), "{name} found nothing");
            ensure!(found == expected, "{name} found other rows: {found:?}, and not {expected:?}");
        }
        fs::remove_dir_all(out)?;
        Ok(run)
    })
}

#[expect(clippy::cast_precision_loss, reason = "figures are rounded")]
fn tell(report: &mut Report, subject: &Subject<Contender>, all: &[Subject<Contender>], dumps: &Dumps) {
    let is_beside = |other: &&Subject<Contender>| {
        other.program.program == Program::Lines && other.program.parallelism == subject.program.parallelism
    };
    let to_it = all.iter().find(is_beside).map_or(f64::NAN, |hexflow| hexflow.speed_to(subject));
    let cpu_seconds = median(subject.runs.iter().map(|run| run.cpu_seconds));
    let first = [dumps.pipeline.name().into(), subject.program.parallelism.into()];
    let last = [(dumps.records as f64 / cpu_seconds).into(), to_it.into()];
    report.row(first.into_iter().chain(common_cells(subject, dumps.records)).chain(last));
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
