//! `hexflow-bench`: measures hexflow, beside a hand-written program that does the same and beside other engines.

mod bare;
mod dumps;
mod guard;
mod limit;
mod measure;
mod peers;
mod programs;
mod replay;
mod report;
mod scale;
mod sinks;
mod statistics;
mod subjects;
mod surroundings;
mod svg;
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
    /// Fills SQLite without a dataflow: lines, a store that is made the same, and where the new one goes.
    #[arg(long, num_args = 3, hide = true)]
    bare_run: Option<Vec<PathBuf>>,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    if let Some([dumps, out]) = cli.limit_run.as_deref() {
        return limit::run(dumps, out);
    }
    if let Some([lines, model, store]) = cli.bare_run.as_deref() {
        return bare::run(lines, model, store);
    }
    match cli.bench.what {
        What::Replay => replay::run(&cli.bench),
        What::Sinks => sinks::run(&cli.bench),
        What::Peers => peers::run(&cli.bench),
        What::Scale => scale::run(&cli.bench),
        What::Latency => bail!("latency cannot be measured yet"),
        What::State => bail!("state cannot be measured yet"),
        What::Exchange => bail!("exchange cannot be measured yet"),
        What::Guard => guard::run(&cli.bench),
    }
}
