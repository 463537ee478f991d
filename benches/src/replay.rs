//! `hexflow bench replay`: `hexflow replay` into each store, at each number of workers and as two processes, beside a program
//! written by hand that does the same work.

use std::fs;

use anyhow::Result;
use hexflow::bench::BenchArgs;

use crate::dumps;
use crate::measure::measure_all;
use crate::programs::{Program, Store};
use crate::report::{Column, Report};
use crate::subjects::{Subject, common_cells, common_columns, in_turns};
use crate::tables::compare;

/// Measures replays into each store, beside the limit.
pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    let temporary = tempfile::tempdir()?;
    let (dumps, out) = (temporary.path().join("dumps"), temporary.path().join("out"));
    let made = dumps::all_topics(args.events.unwrap_or(1_000_000), &dumps)?;
    let mut subjects = subjects(&programs(&args.workers));
    let mut expected = None;
    in_turns(args.runs, &mut subjects, |name, &program| {
        fs::create_dir_all(&out)?;
        let (run, _) = measure_all(program.commands(&dumps, &out)?)?;
        if program.leaves_lines() {
            compare(name, &out, &mut expected)?;
        }
        fs::remove_dir_all(&out)?;
        Ok(run)
    })?;
    let mut report = Report::new("replay", "hexflow replay into each store, from start to end of the process");
    made.tell(&mut report);
    report.columns(common_columns().into_iter().chain([Column::figure("to_the_limit", "to limit", 2)]));
    for subject in &subjects {
        let to_limit = subject.speed_to(&subjects[0]).into();
        report.row(common_cells(subject, made.records).into_iter().chain([to_limit]));
    }
    report
        .note("10% delivered twice, 5% stale, no detailed GPS; the limit and ndjson wrote the same rows in every run");
    report.print(args.json)
}

/// What is measured, the limit first.
fn programs(workers: &[u64]) -> Vec<Program> {
    let mut programs = vec![Program::Limit];
    for store in [Store::Null, Store::Ndjson, Store::Sqlite] {
        programs.extend(workers.iter().map(|&workers| Program::replay(store, workers)));
        if store != Store::Sqlite {
            programs.push(Program::Replay { store, workers: 1, processes: 2 });
        }
    }
    programs
}

/// A subject for each.
pub(crate) fn subjects(programs: &[Program]) -> Vec<Subject<Program>> {
    programs.iter().map(|&program| Subject::new(program.name(), program)).collect()
}
