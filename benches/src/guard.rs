//! `hexflow bench guard`: instructions of a record, beside those of the limit; fails when they have grown.
//!
//! Callgrind counts instructions, which hardly depend on what else the machine does. Each program runs on a smaller and on a
//! larger dump; the difference of both is what the records between them cost, without start-up and end.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};
use hexflow::bench::BenchArgs;

use crate::dumps;
use crate::measure::measure;
use crate::programs::{Program, Store};
use crate::report::{Column, Report};

/// hexflow's instructions of a record by the limit's, as last recorded with rustc 1.95. A replay has all pipelines: the
/// operators of sensors and cameras, which have nothing to do here, take 0.05 of it to learn of each epoch.
///
/// Where hexflow has become better, or the limit has, and for a reason, this is what to change.
const RECORDED: f64 = 1.9;

/// How much above that is still the same. Counts of one build are within 0.03% of each other, on a busy machine too: threads
/// that wait look for work more or less often. But two builds of the same limit were 1.9% apart, since what else is in its
/// crate decides what is inlined; as much again is for machines and compilers that choose other variants of functions.
const TOLERANCE: f64 = 0.04;

/// About so many records are in the two dumps.
const SIZES: [u64; 2] = [10_000, 30_000];

/// Instructions in all, on the dumps of both sizes.
type Counts = [u64; 2];

/// Counts, reports, and fails if there is more than was recorded.
pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    let said = Command::new("valgrind").arg("--version").output();
    ensure!(
        said.is_ok_and(|said| said.status.success()),
        "valgrind is not there, which counts instructions: install it (apt-get install valgrind)"
    );
    let temporary = tempfile::tempdir()?;
    let mut records = [0; 2];
    for (at, size) in SIZES.into_iter().enumerate() {
        records[at] = dumps::all_topics(size, &temporary.path().join(at.to_string()))?.records;
    }
    let hexflow = Program::replay(Store::Null, 1);
    let [limit, replay] = thread::scope(|scope| {
        // Each of them uses one core: valgrind runs one thread at a time.
        let limit = scope.spawn(|| counts(Program::Limit, temporary.path()));
        let replay = counts(hexflow, temporary.path());
        [limit.join().unwrap_or_else(|_| Err(anyhow!("the limit's thread failed"))), replay]
    });
    let each = |counts: Counts| per_record(counts, records);
    let [limit, replay] = [each(limit?), each(replay?)];
    let ratio = replay / limit;
    let mut report = Report::new("guard", "Instructions of a record, without start-up");
    report.fact("records", records[1] - records[0]).fact("recorded", RECORDED).fact("tolerance", TOLERANCE);
    report.columns([
        Column::text("what", "what"),
        Column::figure("instructions", "instructions", 0),
        Column::figure("to_the_limit", "to limit", 3),
    ]);
    report.row(["limit".into(), limit.into(), 1.0.into()]);
    report.row([hexflow.name().into(), replay.into(), ratio.into()]);
    report.print(args.json)?;
    judge(ratio)
}

/// An error if `ratio` is more than was recorded.
fn judge(ratio: f64) -> Result<()> {
    ensure!(
        ratio <= RECORDED * (1.0 + TOLERANCE),
        "a record costs hexflow {ratio:.3} times the limit's instructions: {:.1}% more than the {RECORDED} that were recorded, of which \
         {:.0}% are allowed. Find what has become dearer, or record the new figure in benches/src/guard.rs with its reason",
        (ratio / RECORDED - 1.0) * 100.0,
        TOLERANCE * 100.0
    );
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "billions at most")]
fn per_record(instructions: Counts, records: [u64; 2]) -> f64 {
    (instructions[1] as f64 - instructions[0] as f64) / (records[1] as f64 - records[0] as f64)
}

fn counts(program: Program, folder: &Path) -> Result<Counts> {
    let mut counts = [0; 2];
    for (at, count) in counts.iter_mut().enumerate() {
        let out = folder.join(format!("{}-{at}", program.name()));
        fs::create_dir_all(&out)?;
        *count = instructions(program.commands(&folder.join(at.to_string()), &out)?.remove(0), &out.join("log"))?;
    }
    Ok(counts)
}

/// Runs a command under callgrind.
fn instructions(command: Command, log: &Path) -> Result<u64> {
    let mut counted = Command::new("valgrind");
    counted.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    counted.arg(format!("--log-file={}", log.display()));
    counted.arg(command.get_program()).args(command.get_args());
    measure(counted)?;
    let log = fs::read_to_string(log)?;
    collected(&log).with_context(|| format!("valgrind did not say what it counted:\n{log}"))
}

/// The number in callgrind's last words.
fn collected(log: &str) -> Option<u64> {
    log.lines().find_map(|line| line.split_once("Collected : "))?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callgrinds_words_are_understood() {
        let log = "==38== \n==38== Events    : Ir\n==38== Collected : 622896038\n==38== \n==38== I   refs:      622,896,038\n";
        assert_eq!(collected(log), Some(622_896_038));
        assert_eq!(collected("==38== Events    : Ir"), None);
    }

    #[test]
    fn start_up_cancels() {
        let start_up = 1_000_000;
        assert_eq!(per_record([start_up + 10 * 70, start_up + 30 * 70], [10, 30]), 70.0);
    }

    #[test]
    fn growth_is_an_error_and_noise_is_not() {
        assert!(judge(RECORDED * (1.0 + TOLERANCE / 2.0)).is_ok());
        assert!(judge(RECORDED * 0.5).is_ok());
        let error = judge(RECORDED * (1.0 + 2.0 * TOLERANCE)).unwrap_err().to_string();
        assert!(error.contains("8.0% more"), "{error}");
    }
}
