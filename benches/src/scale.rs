//! `hexflow bench scale`: replays into the null store at several sizes, beside one worker and beside the limit.

use std::fs;
use std::thread;

use anyhow::Result;
use hexflow::bench::BenchArgs;

use crate::dumps;
use crate::measure::measure_all;
use crate::programs::{Program, Store};
use crate::replay::subjects;
use crate::report::{Column, Report};
use crate::subjects::{common_cells, common_columns, in_turns};

/// Where in the list the replay on one worker is.
const ONE_WORKER: usize = 1;

/// Measures how a replay scales.
pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    let temporary = tempfile::tempdir()?;
    let (dumps, out) = (temporary.path().join("dumps"), temporary.path().join("out"));
    let made = dumps::all_topics(args.events.unwrap_or(1_000_000), &dumps)?;
    let mut subjects = subjects(&programs(thread::available_parallelism()?.get()));
    in_turns(args.runs, &mut subjects, |_, &program| {
        fs::create_dir_all(&out)?;
        let (run, _) = measure_all(program.commands(&dumps, &out)?)?;
        fs::remove_dir_all(&out)?;
        Ok(run)
    })?;
    let mut report = Report::new("scale", "hexflow replay at several sizes, from start to end of the process");
    made.tell(&mut report);
    report.columns(
        common_columns()
            .into_iter()
            .chain([Column::figure("to_one_worker", "to -w 1", 2), Column::figure("to_the_limit", "to limit", 2)]),
    );
    for subject in &subjects {
        let ratios = [subject.speed_to(&subjects[ONE_WORKER]), subject.speed_to(&subjects[0])];
        report.row(common_cells(subject, made.records).into_iter().chain(ratios.map(Into::into)));
    }
    report.note("10% delivered twice, 5% stale, no detailed GPS; the limit writes its rows, the null store none");
    report.note("beside its workers a process has a thread that reads and one for the sink, which want a core too");
    report.print(args.json)
}

/// The limit, one worker, and as much more as there are cores for.
fn programs(cores: usize) -> Vec<Program> {
    let workers: &[u64] = if cores >= 4 { &[1, 2, 4] } else { &[1, 2] };
    let mut programs = vec![Program::Limit];
    programs.extend(workers.iter().map(|&workers| Program::replay(Store::Null, workers)));
    programs.push(Program::Replay { store: Store::Null, workers: 1, processes: 2 });
    programs
}
