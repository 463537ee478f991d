//! `hexflow dlq`: what was set aside, and its way back to the topics that it came from.
//!
//! Letters that were sent back are known by the offsets of a consumer group of their own, the run's with `-dlq` behind it.

pub mod back;
pub mod list;
pub mod waiting;

use clap::{Args, Subcommand};

use crate::cli::Failure;
use crate::config::Config;
use crate::replay::args::SummaryFormat;

/// What `hexflow dlq` can be told.
#[derive(Args, Debug)]
pub struct DlqArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// List the dead letters that were not sent back yet.
    List(Which),
    /// Send dead letters back to the topics and partitions that they came from, those that are there now.
    Replay {
        /// Which of them.
        #[command(flatten)]
        which: Which,
        /// List them, and send none.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Which dead letters, and how to tell of them.
#[derive(Args, Debug)]
pub struct Which {
    /// Topics, by their own names or those of their dead letters; without one all that a run reads.
    #[arg(value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// How to tell of them.
    #[arg(long, value_enum, default_value_t = SummaryFormat::Table)]
    pub summary: SummaryFormat,
}

/// Does what the command says.
pub fn run(args: &DlqArgs, config: &Config) -> Result<(), Failure> {
    match &args.command {
        Command::List(which) | Command::Replay { which, dry_run: true } => list::run(which, config),
        Command::Replay { which, .. } => back::run(which, config),
    }
}
