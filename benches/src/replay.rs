//! `hexflow bench replay`: `hexflow replay` into each store, beside a program written by hand that does the same work.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use hexflow::bench::BenchArgs;

use crate::measure::{lines_of, measure, surroundings};
use crate::table::{self, Subject, Work};

const TABLES: [&str; 4] = ["tracks", "frames", "detections", "audit_log"];
const FRAMES: &str = "axion.sense.citylens.frame.lifecycle.ndjson";

/// A program that is measured.
struct Program {
    name: String,
    command: fn(dumps: &Path, out: &Path, workers: u64) -> Result<Command>,
    workers: u64,
    /// Whether it leaves tables as lines of JSON.
    lines: bool,
}

/// Measures replays into each store, beside the limit.
pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    let temporary = tempfile::tempdir()?;
    let (dumps, out) = (temporary.path().join("dumps"), temporary.path().join("out"));
    let work = make_dumps(args, &dumps)?;
    let programs = programs(args.workers.iter().copied().max().unwrap_or(1));
    let mut subjects: Vec<_> =
        programs.iter().map(|program| Subject { name: program.name.clone(), runs: Vec::new() }).collect();
    let mut expected = None;
    for _ in 0..args.runs {
        for (program, subject) in programs.iter().zip(&mut subjects) {
            fs::create_dir_all(&out)?;
            subject.runs.push(measure(&mut (program.command)(&dumps, &out, program.workers)?)?);
            if program.lines {
                let written = tables(&out)?;
                let expected = expected.get_or_insert_with(|| written.clone());
                ensure!(written == *expected, "{}: {written:?}, and not {expected:?}", program.name);
            }
            fs::remove_dir_all(&out)?;
        }
    }
    let surroundings = surroundings();
    let mut stdout = std::io::stdout().lock();
    if args.json {
        writeln!(stdout, "{}", table::json(&work, &subjects, &surroundings))?;
    } else {
        write!(stdout, "{}", table::table(&work, &subjects, &surroundings))?;
    }
    Ok(())
}

/// What is measured, the limit first.
fn programs(workers: u64) -> Vec<Program> {
    let mut programs = vec![Program { name: "limit".to_owned(), command: limit_command, workers: 1, lines: true }];
    let mut add = |store: &str, command, workers| {
        let (name, lines) = (format!("hexflow -w {workers}, {store}"), store == "ndjson");
        programs.push(Program { name, command, workers, lines });
    };
    let counts = if workers > 1 { vec![1, workers] } else { vec![1] };
    for &workers in &counts {
        add("null", |dumps, _, workers| Ok(replay(dumps, "null".to_owned(), workers)), workers);
    }
    for &workers in &counts {
        add("ndjson", |dumps, out, workers| Ok(replay(dumps, format!("ndjson:{}", out.display()), workers)), workers);
    }
    add("sqlite", |dumps, out, workers| Ok(replay(dumps, format!("sqlite:{}/hexflow.db", out.display()), workers)), 1);
    programs
}

fn limit_command(dumps: &Path, out: &Path, _workers: u64) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--limit-run").args([dumps, out]);
    Ok(command)
}

/// A replay; objects go beside the store.
fn replay(dumps: &Path, store: String, workers: u64) -> Command {
    let mut command = Command::new(hexflow());
    command.arg("replay").arg(dumps).args(["--store", &store, "-w", &workers.to_string()]);
    command
}

/// Makes the dumps, and counts them.
fn make_dumps(args: &BenchArgs, dumps: &Path) -> Result<Work> {
    // Re-deliveries, stale versions, frames and tracks come on top.
    let detections = args.events.unwrap_or(1_000_000) * 1_000 / 1_737;
    let (detections, tracks) = (detections.to_string(), (detections / 1_000).max(1).to_string());
    let mut command = Command::new(hexflow());
    command.args(["generate", "--tracks", &tracks, "--detections", &detections]);
    command.args(["--duplicates", "0.1", "--stale", "0.05", "--seed", "7"]).arg(dumps);
    measure(&mut command)?;
    drop_gps(&dumps.join(FRAMES))?;
    let (mut records, mut bytes) = (0, 0);
    for dump in fs::read_dir(dumps)? {
        let path = dump?.path();
        records += lines_of(&path, "\n")?.0;
        bytes += fs::metadata(&path)?.len();
    }
    let title = format!(
        "{records} records, {} MB, without detailed GPS; 10% duplicates, 5% stale; from start to end of the process; the tables of the \
         limit and of ndjson are the same",
        bytes / 1_000_000
    );
    Ok(Work { records, bytes, title })
}

/// Takes the field `gps` out of the frames' payloads.
fn drop_gps(dump: &Path) -> Result<()> {
    let text = fs::read_to_string(dump)?;
    let (mut kept, mut rest) = (String::with_capacity(text.len()), &*text);
    while let Some((before, after)) = rest.split_once(r#",\"gps\":["#) {
        kept.push_str(before);
        rest = after.split_once(']').context("a list without end")?.1;
    }
    kept.push_str(rest);
    Ok(fs::write(dump, kept)?)
}

/// Lines of each table and the sum of their hashes, but for the names of objects, which are each program's own.
fn tables(out: &Path) -> Result<Vec<(u64, u64)>> {
    TABLES.iter().map(|table| lines_of(&out.join(format!("{table}.ndjson")), r#","gps_key":"#)).collect()
}

/// The program that is measured, beside this one.
fn hexflow() -> PathBuf {
    std::env::current_exe().unwrap_or_default().with_file_name("hexflow")
}
