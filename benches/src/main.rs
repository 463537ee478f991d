//! `hexflow-bench`: measures hexflow, beside a hand-written program that does the same and beside other engines.

mod bare;
mod dumps;
mod exchange;
mod guard;
mod latency;
mod limit;
mod live;
mod measure;
mod part;
mod peers;
mod programs;
mod records;
mod replay;
mod report;
mod scale;
mod sinks;
mod state;
mod statistics;
mod subjects;
mod surroundings;
mod svg;
mod tables;
mod windows;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use hexflow::bench::{BenchArgs, What};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures hexflow.
#[derive(Parser)]
#[command(name = "hexflow-bench", max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    bench: BenchArgs,
    /// Runs the limit: dumps, and where the tables go.
    #[arg(long, num_args = 2, hide = true)]
    limit_run: Option<Vec<PathBuf>>,
    /// Fills SQLite without a dataflow: lines, a store that is made the same, and where the new one goes.
    #[arg(long, num_args = 3, hide = true)]
    bare_run: Option<Vec<PathBuf>>,
    /// Runs a part of a bench: its name, and what it is told.
    #[arg(long, num_args = 1.., hide = true)]
    part: Option<Vec<String>>,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The causes in one line; where in this program it was found helps nobody.
            let _ = writeln!(std::io::stderr(), "hexflow-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    if let Some([dumps, out]) = cli.limit_run.as_deref() {
        return limit::run(dumps, out);
    }
    if let Some([lines, model, store]) = cli.bare_run.as_deref() {
        return bare::run(lines, model, store);
    }
    if let Some(arguments) = cli.part.as_deref() {
        return part::run(arguments);
    }
    match cli.bench.what {
        What::Replay => replay::run(&cli.bench),
        What::Sinks => sinks::run(&cli.bench),
        What::Peers => peers::run(&cli.bench),
        What::Windows => windows::run(&cli.bench),
        What::Scale => scale::run(&cli.bench),
        What::Live => live::run(&cli.bench),
        What::Latency => latency::run(&cli.bench),
        What::State => state::run(&cli.bench),
        What::Exchange => exchange::run(&cli.bench),
        What::Guard => guard::run(&cli.bench),
    }
}
