//! `hexflow-bench`: measures hexflow, beside a hand-written program that does the same and beside other engines.

mod dumps;
mod limit;
mod measure;
mod programs;
mod replay;
mod report;
mod scale;
mod statistics;
mod subjects;
mod surroundings;
mod tables;

use std::path::PathBuf;

use anyhow::{Result, bail};
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
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    if let Some([dumps, out]) = cli.limit_run.as_deref() {
        return limit::run(dumps, out);
    }
    match cli.bench.what {
        What::Replay => replay::run(&cli.bench),
        What::Scale => scale::run(&cli.bench),
        What::Latency => bail!("latency cannot be measured yet"),
        What::State => bail!("state cannot be measured yet"),
        What::Exchange => bail!("exchange cannot be measured yet"),
        other => bail!("{other:?} cannot be measured yet"),
    }
}
