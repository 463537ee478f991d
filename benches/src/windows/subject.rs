//! What is measured: hexflow into each store, and other engines.

use std::path::Path;

use anyhow::{Result, ensure};

use super::dumps::Dumps;
use crate::measure::{Run, measure_all};
use crate::peers::engine::{Engine, WINDOWS};
use crate::programs::{self, Store};
use crate::subjects::Subject;

/// A program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// hexflow, into nothing.
    Nothing,
    /// hexflow, into lines of JSON.
    Lines,
    /// hexflow, into an SQLite file, with all that it needs to go on from there.
    Sqlite,
    /// Another engine, into lines of JSON.
    Engine(Engine),
}

/// A program at a parallelism.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    pub(crate) program: Program,
    pub(crate) parallelism: u64,
}

/// All of them.
pub(crate) fn all(engines: &[Engine], parallelisms: &[u64]) -> Vec<Subject<Contender>> {
    let mut programs = vec![Program::Nothing, Program::Lines, Program::Sqlite];
    programs.extend(engines.iter().cloned().map(Program::Engine));
    let subject = |program: &Program| {
        let of = |&parallelism: &u64| Subject::new(program.name(), Contender { program: program.clone(), parallelism });
        parallelisms.iter().map(of).collect::<Vec<_>>()
    };
    programs.iter().flat_map(subject).collect()
}

impl Program {
    /// How it is called.
    fn name(&self) -> String {
        match self {
            Program::Nothing => "hexflow, null".to_owned(),
            Program::Lines => "hexflow, ndjson".to_owned(),
            Program::Sqlite => "hexflow, sqlite".to_owned(),
            Program::Engine(engine) => engine.name.clone(),
        }
    }

    /// Whether it leaves tables as lines of JSON.
    pub(crate) fn leaves_lines(&self) -> bool {
        matches!(self, Program::Lines | Program::Engine(_))
    }
}

impl Contender {
    /// Runs it once, into the empty folder `out`.
    pub(crate) fn run(&self, dumps: &Dumps, out: &Path) -> Result<Run> {
        let store = match &self.program {
            Program::Nothing => Store::Null,
            Program::Lines => Store::Ndjson,
            Program::Sqlite => Store::Sqlite,
            Program::Engine(engine) => {
                let (run, said) = engine.run(WINDOWS, &dumps.folder, out, self.parallelism)?;
                ensure!(said.records == dumps.records, "it read {} records, and not {}", said.records, dumps.records);
                return Ok(run);
            }
        };
        let mut commands = programs::Program::replay(store, self.parallelism).commands(&dumps.folder, out)?;
        for command in &mut commands {
            command.args(["--pipelines", dumps.pipeline.name(), "--set"]);
            command.arg(format!("cameras.locations={}", dumps.locations().display()));
        }
        Ok(measure_all(commands)?.0)
    }
}
