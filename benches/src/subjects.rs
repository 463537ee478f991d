//! Programs that are run in turns, and the columns that all of them have.

use anyhow::Result;

use crate::measure::Run;
use crate::report::{Cell, Column};
use crate::statistics::{least, median, most, ratio, spread};

/// A program, and all its runs in the order in which they were made.
#[derive(Clone, Debug)]
pub(crate) struct Subject<P> {
    /// How it is called.
    pub(crate) name: String,
    /// What is run.
    pub(crate) program: P,
    /// What it took, a run each round.
    pub(crate) runs: Vec<Run>,
}

impl<P> Subject<P> {
    /// A program that has not been run.
    pub(crate) fn new(name: impl Into<String>, program: P) -> Self {
        Subject { name: name.into(), program, runs: Vec::new() }
    }

    /// The time of each run.
    pub(crate) fn seconds(&self) -> impl Iterator<Item = f64> {
        self.runs.iter().map(|run| run.seconds)
    }

    /// How many times as fast as `other`, the median of the rounds.
    pub(crate) fn speed_to(&self, other: &Self) -> f64 {
        ratio(other.seconds(), self.seconds())
    }
}

/// Runs all in turns, so that a machine that is slower for a while is so for each of them.
pub(crate) fn in_turns<P>(
    rounds: u64,
    subjects: &mut [Subject<P>],
    mut run: impl FnMut(&str, &P) -> Result<Run>,
) -> Result<()> {
    for _ in 0..rounds {
        for subject in &mut *subjects {
            subject.runs.push(run(&subject.name, &subject.program)?);
        }
    }
    Ok(())
}

/// The columns that [`common_cells`] fills.
pub(crate) fn common_columns() -> [Column; 8] {
    [
        Column::text("what", "what"),
        Column::unprinted("runs"),
        Column::figure("best_seconds", "best s", 2),
        Column::figure("median_seconds", "median", 2),
        Column::percent("spread", "spread"),
        Column::figure("records_per_second", "records/s", 0),
        Column::figure("cpu_seconds", "CPU s", 2),
        Column::figure("peak_mib", "peak MiB", 0),
    ]
}

/// What all have, of `records` in each run.
#[expect(clippy::cast_precision_loss, reason = "figures are rounded")]
pub(crate) fn common_cells<P>(subject: &Subject<P>, records: u64) -> [Cell; 8] {
    [
        subject.name.as_str().into(),
        Cell::list(subject.seconds()),
        least(subject.seconds()).into(),
        median(subject.seconds()).into(),
        spread(subject.seconds()).into(),
        (records as f64 / median(subject.seconds())).into(),
        median(subject.runs.iter().map(|run| run.cpu_seconds)).into(),
        (most(subject.runs.iter().map(|run| run.peak_kib as f64)) / 1024.0).into(),
    ]
}
