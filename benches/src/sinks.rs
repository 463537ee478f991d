//! `hexflow bench sinks`: what each store takes at one worker, and beside SQLite what SQLite itself takes of the same rows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use hexflow::bench::BenchArgs;
use serde::Deserialize;

use crate::dumps;
use crate::measure::{Run, measure_all};
use crate::programs::{DATABASE, Program, Store};
use crate::report::{Cell, Column, Report};
use crate::subjects::{Subject, common_cells, common_columns, in_turns};
use crate::tables::{bytes_in, lines};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sink {
    Replay(Store),
    Bare,
}

/// Where things are.
struct Places {
    dumps: PathBuf,
    out: PathBuf,
    /// What a replay left as lines, and as an SQLite store.
    model: PathBuf,
}

/// What [`crate::bare`] prints.
#[derive(Deserialize)]
struct Bare {
    seconds: f64,
    cpu_seconds: f64,
}

/// Measures each store.
pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    let temporary = tempfile::tempdir()?;
    let place = |name| temporary.path().join(name);
    let places = Places { dumps: place("dumps"), out: place("out"), model: place("model") };
    let made = dumps::all_topics(args.events.unwrap_or(1_000_000), &places.dumps)?;
    fs::create_dir_all(&places.model)?;
    for store in [Store::Ndjson, Store::Sqlite] {
        measure_all(Program::replay(store, 1).commands(&places.dumps, &places.model)?)?;
    }
    let rows = lines(&places.model)?.iter().map(|sum| sum.rows).sum();
    let mut stored = Vec::new();
    let mut subjects: Vec<_> = [Store::Null, Store::Ndjson, Store::Sqlite].map(Sink::Replay).into_iter().collect();
    subjects.push(Sink::Bare);
    let mut subjects: Vec<_> = subjects.into_iter().map(|sink| Subject::new(name(sink), sink)).collect();
    in_turns(args.runs, &mut subjects, |_, &sink| {
        fs::create_dir_all(&places.out)?;
        let run = fill(sink, &places)?;
        stored.push(bytes_in(&places.out)?);
        fs::remove_dir_all(&places.out)?;
        Ok(run)
    })?;
    let mut report = report(&subjects, &stored, made.records, rows);
    made.tell(&mut report);
    report.print(args.json)
}

fn name(sink: Sink) -> String {
    match sink {
        Sink::Replay(store) => Program::replay(store, 1).name(),
        Sink::Bare => "bare SQLite".to_owned(),
    }
}

/// One run.
fn fill(sink: Sink, places: &Places) -> Result<Run> {
    match sink {
        Sink::Replay(store) => Ok(measure_all(Program::replay(store, 1).commands(&places.dumps, &places.out)?)?.0),
        Sink::Bare => {
            let (run, printed) = measure_all(vec![bare(&places.model, &places.out)?])?;
            let Bare { seconds, cpu_seconds } = serde_json::from_str(&printed)?;
            Ok(Run { seconds, cpu_seconds, ..run })
        }
    }
}

fn bare(model: &Path, out: &Path) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--bare-run").arg(model).arg(model.join(DATABASE)).arg(out.join(DATABASE));
    Ok(command)
}

#[expect(clippy::cast_precision_loss, reason = "figures are rounded")]
fn report(subjects: &[Subject<Sink>], stored: &[u64], records: u64, rows: u64) -> Report {
    let mut report = Report::new("sinks", "What each store takes at one worker, from start to end of the process");
    report.fact("rows", rows);
    report.columns(common_columns().into_iter().chain([
        Column::figure("rows_per_second", "rows/s", 0),
        Column::figure("stored_mb", "stored MB", 0),
        Column::figure("to_null", "to null", 2),
        Column::figure("to_bare", "to bare", 2),
    ]));
    let bare = subjects.len() - 1;
    for (subject, &stored) in subjects.iter().zip(stored) {
        let cells = common_cells(subject, records);
        let rows_per_second = rows as f64 / crate::statistics::median(subject.seconds());
        let is_sqlite = [Sink::Replay(Store::Sqlite), Sink::Bare].contains(&subject.program);
        let to_bare = if is_sqlite { subject.speed_to(&subjects[bare]).into() } else { Cell::NOTHING };
        let more =
            [rows_per_second.into(), (stored as f64 / 1e6).into(), subject.speed_to(&subjects[0]).into(), to_bare];
        report.row(cells.into_iter().chain(more));
    }
    report.note(
        "10% delivered twice, 5% stale, no detailed GPS; rows are of all tables, superseded ones and audit among them",
    );
    report.note(
        "bare SQLite: the same rows in the same schema by one loop, 100,000 in a transaction; reading and parsing them is \
         outside of its time, but in its memory",
    );
    report
}
