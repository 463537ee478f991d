//! `hexflow bench`: hands over to the program `hexflow-bench`, built beside this one, which holds what only measuring needs.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use clap::{Args, ValueEnum};

use crate::cli::Failure;

/// The program that measures.
const PROGRAM: &str = "hexflow-bench";

/// What can be measured.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Replays into each store, beside a hand-written program.
    Replay,
    /// From a record's arrival to its effect, at an offered rate.
    Latency,
    /// Cost of a record and bytes of a key as keys grow in number.
    State,
    /// Encodings of rows between workers and processes.
    Exchange,
    /// What each store takes, beside writing to it without a dataflow.
    Sinks,
    /// From Kafka's timestamp until a store lets a record be read, on real servers; and a backlog.
    Live,
    /// Replays at several numbers of workers and processes.
    Scale,
    /// Other engines on the same dumps.
    Peers,
    /// Windows of sensors and of cameras, beside another engine.
    Windows,
    /// Instructions of a record beside the hand-written program's; fails when they have grown.
    Guard,
}

/// `hexflow bench`.
#[derive(Args, Debug, Clone)]
pub struct BenchArgs {
    /// What to measure.
    #[arg(value_enum, default_value = "replay")]
    pub what: What,
    /// About so many records; for `state`, the most keys.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1_000..))]
    pub events: Option<u64>,
    /// Workers; several numbers are measured in turn.
    #[arg(short, long, value_name = "N,..", value_delimiter = ',', default_value = "1,2",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub workers: Vec<u64>,
    /// Runs of each subject.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    pub runs: u64,
    /// Records a second that are offered to `latency` and `live`.
    #[arg(long, value_name = "N,..", value_delimiter = ',', default_value = "10000",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: Vec<u64>,
    /// How long `live` offers each rate, s.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: Option<u64>,
    /// The engines of `peers` and `windows`, or the pipelines of `live`; all by default.
    #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Draw the figures into an SVG file.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Runs the program that measures with this program's own arguments.
pub fn run() -> Result<(), Failure> {
    let this = std::env::current_exe().context("cannot tell where this program is")?;
    let program = this.with_file_name(PROGRAM);
    if !program.is_file() {
        return Err(Failure::usage(format!(
            "{} is not there: build it with `cargo build --release --package {PROGRAM}`",
            program.display()
        )));
    }
    let arguments = std::env::args_os().skip_while(|argument| argument != "bench").skip(1);
    let status = Command::new(&program).args(arguments).status();
    let status = status.with_context(|| format!("cannot run {}", program.display()))?;
    if status.success() { Ok(()) } else { Err(Failure::Run(anyhow::anyhow!("{PROGRAM} ended with {status}"))) }
}
