//! What came of it: a line for each engine and parallelism, measured or with the reason why not, and a picture.

use crate::measure::Run;
use crate::report::{Cell, Column, Report, grouped};
use crate::statistics::{median, most, ratio, spread};
use crate::svg::{self, Bar};

use super::engine::Engine;

/// Who does the work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Job {
    Limit,
    Hexflow,
    Engine(Engine),
}

impl Job {
    pub(super) fn name(&self) -> &str {
        match self {
            Job::Limit => "limit",
            Job::Hexflow => "hexflow",
            Job::Engine(engine) => &engine.name,
        }
    }
}

/// One run.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    pub(super) run: Run,
    /// Without start-up.
    pub(super) job_seconds: f64,
    pub(super) version: String,
}

/// All runs, or why there are none.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Measured(Vec<Turn>),
    Failed(String),
}

/// A job at a parallelism.
#[derive(Clone, Debug)]
pub(super) struct Contestant {
    pub(super) job: Job,
    pub(super) parallelism: u64,
    pub(super) outcome: Outcome,
}

impl Contestant {
    fn turns(&self) -> &[Turn] {
        match &self.outcome {
            Outcome::Measured(turns) => turns,
            Outcome::Failed(_) => &[],
        }
    }

    fn job_seconds(&self) -> impl Iterator<Item = f64> {
        self.turns().iter().map(|turn| turn.job_seconds)
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    fn rate(&self, records: u64) -> f64 {
        records as f64 / median(self.job_seconds())
    }
}

/// The table; `records` are detections.
pub(super) fn report(all: &[Contestant], records: u64) -> Report {
    let mut report = Report::new("peers", "Detections joined, deduplicated, given a cell and written as lines");
    report.fact("detections", records).columns([
        Column::text("what", "what"),
        Column::text("version", "version"),
        Column::figure("parallelism", "par", 0),
        Column::unprinted("runs"),
        Column::figure("wall_seconds", "wall s", 2),
        Column::figure("job_seconds", "job s", 2),
        Column::percent("spread", "spread"),
        Column::figure("records_per_second", "records/s", 0),
        Column::figure("cpu_seconds", "CPU s", 2),
        Column::figure("peak_mib", "peak MiB", 0),
        Column::figure("hexflow_to_it", "hexflow x", 2),
        Column::unprinted("failure"),
    ]);
    for contestant in all {
        let hexflow = all.iter().find(|other| other.job == Job::Hexflow && other.parallelism == contestant.parallelism);
        report.row(cells(contestant, hexflow, records));
        if let Outcome::Failed(reason) = &contestant.outcome {
            report.note(format!("{}, {}: {reason}", contestant.job.name(), contestant.parallelism));
        }
    }
    report.note(
        "job s and what follows from it are without start-up, wall s is with it; hexflow x: how many times as fast hexflow is at \
         the same parallelism\nrows of detections and of their audit were the same as the limit's; 10% delivered twice, no frames",
    );
    report
}

#[expect(clippy::cast_precision_loss, reason = "figures are rounded")]
fn cells(contestant: &Contestant, hexflow: Option<&Contestant>, records: u64) -> Vec<Cell> {
    let turns = contestant.turns();
    let (name, parallelism) = (contestant.job.name().into(), contestant.parallelism.into());
    let version = turns.first().map_or(Cell::NOTHING, |turn| turn.version.as_str().into());
    if let Outcome::Failed(reason) = &contestant.outcome {
        let nothing = std::iter::repeat_n(Cell::NOTHING, 8);
        return [name, version, parallelism].into_iter().chain(nothing).chain([reason.as_str().into()]).collect();
    }
    let to_it = hexflow.map(|hexflow| ratio(contestant.job_seconds(), hexflow.job_seconds()));
    vec![
        name,
        version,
        parallelism,
        Cell::list(contestant.job_seconds()),
        median(turns.iter().map(|turn| turn.run.seconds)).into(),
        median(contestant.job_seconds()).into(),
        spread(contestant.job_seconds()).into(),
        contestant.rate(records).into(),
        median(turns.iter().map(|turn| turn.run.cpu_seconds)).into(),
        (most(turns.iter().map(|turn| turn.run.peak_kib as f64)) / 1024.0).into(),
        to_it.map_or(Cell::NOTHING, Cell::from),
        Cell::NOTHING,
    ]
}

/// Records a second, as bars: what was measured, the fastest first.
pub(super) fn picture(all: &[Contestant], records: u64) -> String {
    let mut bars: Vec<_> = all
        .iter()
        .filter(|contestant| !contestant.turns().is_empty())
        .map(|contestant| Bar {
            label: format!("{}, {}", contestant.job.name(), contestant.parallelism),
            value: contestant.rate(records),
            ours: contestant.job == Job::Hexflow,
        })
        .collect();
    bars.sort_by(|one, other| other.value.total_cmp(&one.value));
    let title = format!("{} detections, by engine and parallelism", grouped_count(records));
    svg::bars(&title, "records a second, without start-up", &bars)
}

#[expect(clippy::cast_precision_loss, reason = "a title")]
fn grouped_count(records: u64) -> String {
    grouped(records as f64, 0)
}
