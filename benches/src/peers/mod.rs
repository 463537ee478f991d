//! `hexflow bench peers`: other engines on the same dumps, in turns with hexflow and the limit, their results compared.

pub(crate) mod canonical;
pub(crate) mod engine;
mod outcome;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use hexflow::bench::BenchArgs;
use serde::Deserialize;

use crate::dumps;
use crate::measure::measure_all;
use crate::programs::{Program, Store};
use crate::tables::{files_of, for_each_line};

use self::canonical::{Found, found};
use self::engine::{Engine, engines};
use self::outcome::{Contestant, Job, Outcome, Turn};

/// Records whose replay is all start-up.
const NEXT_TO_NOTHING: u64 = 1_000;

/// Where everything is while it is measured.
struct Arena {
    dumps: PathBuf,
    /// Dumps of the same kind, next to empty.
    tiny: PathBuf,
    /// What engines read: the detections and the mapping.
    theirs: PathBuf,
    out: PathBuf,
    /// Detections in the dumps.
    records: u64,
    /// What the limit found.
    expected: Found,
}

/// Measures hexflow beside other engines.
pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    let [scripts, cache] = engine::places()?;
    let engines = engines(&scripts, &cache, engine::DETECTIONS, &args.only)?;
    let temporary = tempfile::tempdir()?;
    let (arena, made) = arena(temporary.path(), args.events.unwrap_or(4_000_000))?;
    let mut contestants = contestants(&engines, &args.workers);
    for engine in &engines {
        say(&format!("installing {}, if it is not there", engine.name));
        if let Err(error) = engine.install() {
            let its = contestants.iter_mut().filter(|contestant| contestant.job == Job::Engine(engine.clone()));
            its.for_each(|contestant| contestant.outcome = Outcome::Failed(format!("{error:#}")));
        }
    }
    for round in 0..args.runs {
        for contestant in &mut contestants {
            let Outcome::Measured(turns) = &mut contestant.outcome else { continue };
            say(&format!("round {}: {}, parallelism {}", round + 1, contestant.job.name(), contestant.parallelism));
            match turn(&contestant.job, contestant.parallelism, &arena, round == 0) {
                Ok(turn) => turns.push(turn),
                // Without these there is nothing to compare with.
                Err(error) if !matches!(contestant.job, Job::Engine(_)) => return Err(error),
                Err(error) => contestant.outcome = Outcome::Failed(format!("{error:#}")),
            }
        }
    }
    let mut report = outcome::report(&contestants, made.detections);
    made.tell(&mut report);
    if let Some(file) = &args.svg {
        let drawn = outcome::picture(&contestants, made.detections);
        fs::write(file, drawn).with_context(|| format!("cannot write {}", file.display()))?;
    }
    report.print(args.json)
}

/// The limit, hexflow and all engines, at each parallelism.
fn contestants(engines: &[Engine], parallelisms: &[u64]) -> Vec<Contestant> {
    let mut jobs = vec![(Job::Limit, 1)];
    jobs.extend(parallelisms.iter().map(|&workers| (Job::Hexflow, workers)));
    for engine in engines {
        jobs.extend(parallelisms.iter().map(|&parallelism| (Job::Engine(engine.clone()), parallelism)));
    }
    let contestant = |(job, parallelism)| Contestant { job, parallelism, outcome: Outcome::Measured(Vec::new()) };
    jobs.into_iter().map(contestant).collect()
}

/// Makes the dumps, has the limit find what is to be found, and writes the mapping from it.
fn arena(folder: &Path, detections: u64) -> Result<(Arena, dumps::Dumps)> {
    let [dumps, tiny, theirs, out] = ["dumps", "tiny", "theirs", "out"].map(|name| folder.join(name));
    say("making dumps");
    let made = dumps::detections(detections, &dumps)?;
    dumps::detections(NEXT_TO_NOTHING, &tiny)?;
    fs::create_dir_all(&out)?;
    measure_all(Program::Limit.commands(&dumps, &out)?)?;
    fs::create_dir_all(&theirs)?;
    write_mapping(&out, &theirs.join("mapping.ndjson"))?;
    fs::hard_link(dumps.join(dumps::DETECTIONS), theirs.join(dumps::DETECTIONS))?;
    let expected = found(&out)?;
    ensure!(expected.iter().all(|sum| sum.rows > 0), "the limit found nothing");
    fs::remove_dir_all(&out)?;
    Ok((Arena { dumps, tiny, theirs, out, records: made.detections, expected }, made))
}

/// Of each track the ids that the limit gave its row, one line a track.
fn write_mapping(out: &Path, mapping: &Path) -> Result<()> {
    #[derive(Deserialize)]
    struct Row {
        citylens_track_id: String,
        track_id: String,
    }
    let mut ids = BTreeMap::new();
    for file in files_of(out, "tracks")? {
        for_each_line(&file, |line| {
            let row: Row = serde_json::from_slice(line)?;
            ids.insert(row.citylens_track_id, row.track_id);
            Ok(())
        })?;
    }
    let mut mapping = BufWriter::new(File::create(mapping)?);
    for (citylens, axion) in ids {
        let line = serde_json::json!({"citylens_track_id": citylens, "axion_track_id": axion});
        writeln!(mapping, "{line}")?;
    }
    Ok(mapping.flush()?)
}

/// Runs a job once; what it found is compared if `compare`, and else only counted.
fn turn(job: &Job, parallelism: u64, arena: &Arena, compare: bool) -> Result<Turn> {
    let fresh = || -> Result<()> {
        if arena.out.exists() {
            fs::remove_dir_all(&arena.out)?;
        }
        Ok(fs::create_dir_all(&arena.out)?)
    };
    fresh()?;
    let turn = match job {
        Job::Engine(engine) => {
            let (run, said) = engine.run(engine::DETECTIONS, &arena.theirs, &arena.out, parallelism)?;
            ensure!(said.records == arena.records, "it read {} records, and not {}", said.records, arena.records);
            Turn { run, job_seconds: said.seconds, version: said.version }
        }
        Job::Limit | Job::Hexflow => {
            let program = if *job == Job::Limit { Program::Limit } else { Program::replay(Store::Ndjson, parallelism) };
            let start_up = measure_all(program.commands(&arena.tiny, &arena.out)?)?.0.seconds;
            fresh()?;
            let (run, _) = measure_all(program.commands(&arena.dumps, &arena.out)?)?;
            let job_seconds = (run.seconds - start_up).max(f64::MIN_POSITIVE);
            Turn { run, job_seconds, version: env!("CARGO_PKG_VERSION").to_owned() }
        }
    };
    if compare {
        let found = found(&arena.out)?;
        let (expected, [detections, audit]) = (arena.expected, found);
        ensure!(
            found == expected,
            "it found other rows: {} detections and {} of audit, and not {} and {}{}",
            detections.rows,
            audit.rows,
            expected[0].rows,
            expected[1].rows,
            if found.map(|sum| sum.rows) == expected.map(|sum| sum.rows) { ", or of other content" } else { "" }
        );
    }
    fs::remove_dir_all(&arena.out)?;
    Ok(turn)
}

/// A run takes long: says what goes on, for people.
pub(crate) fn say(what: &str) {
    let _ = writeln!(std::io::stderr(), "{what}");
}

#[cfg(test)]
mod tests;
