//! `hexflow migrate`: makes what the pipelines need in the servers they write to, and leaves alone what is there.
//!
//! Each server is a target: it says what is there and what is not, and makes what is missing.

pub mod clickhouse;
pub mod contract;
pub mod postgres;
pub mod step;
pub mod topics;

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use step::{State, Step};

use crate::cli::{Failure, print};
use crate::config::Config;

/// What `hexflow migrate` can be told.
#[derive(Args, Debug)]
pub struct MigrateArgs {
    /// Show what would be made, and make nothing.
    #[arg(long)]
    dry_run: bool,
    /// Only these; without it all that are configured.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    only: Vec<Part>,
}

/// What is made where.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Topics in Kafka.
    Topics,
    /// The control tables in PostgreSQL.
    Postgres,
    /// The database and its tables in ClickHouse.
    Clickhouse,
}

impl Part {
    fn target(self, config: &Config) -> Result<Box<dyn Target>, Failure> {
        Ok(match (self, &config.postgres.url) {
            (Part::Topics, _) => Box::new(topics::Topics::new(&config.kafka)?),
            (Part::Postgres, Some(url)) => Box::new(postgres::Tables::new(url)?),
            (Part::Postgres, None) => return Err(Failure::usage("postgres.url is not set")),
            (Part::Clickhouse, _) => Box::new(clickhouse::Tables::new(config)?),
        })
    }
}

/// A server in which things are made.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    /// The control tables.
    Postgres,
    /// The tables of rows.
    Clickhouse,
}

/// What makes them there.
trait Target {
    /// What it is, and where.
    fn name(&self) -> String;
    /// Everything it needs, in the order in which it can be made.
    fn plan(&self) -> anyhow::Result<Vec<Step>>;
    /// Does what one statement of a step says.
    fn make(&self, statement: &str) -> anyhow::Result<()>;
}

/// Makes what is missing. A second run finds nothing to do. A server that fails does not keep the others from being
/// looked after.
pub fn run(args: &MigrateArgs, config: &Config) -> Result<(), Failure> {
    let is_there = |part: &&Part| **part != Part::Postgres || config.postgres.url.is_some();
    let parts = Part::value_variants().iter();
    let parts: Vec<_> = if args.only.is_empty() {
        parts.filter(is_there).collect()
    } else {
        parts.filter(|part| args.only.contains(part)).collect()
    };
    let targets = parts.into_iter().map(|part| part.target(config)).collect::<Result<Vec<_>, _>>()?;
    let mut failed = Vec::new();
    for target in &targets {
        match look_after(&**target, args.dry_run) {
            Err(Failure::Run(error)) => failed.push(format!("{error:#}")),
            done => done?,
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::Run(anyhow!("{}", failed.join("\nhexflow: ")))) }
}

fn look_after(target: &dyn Target, dry_run: bool) -> Result<(), Failure> {
    print(format!("{}\n", target.name()).as_bytes())?;
    for step in target.plan()? {
        if let (State::Missing(statement), false) = (&step.state, dry_run) {
            target.make(statement)?;
        }
        print(step.told(dry_run).as_bytes())?;
        step.warnings().for_each(|warning| eprintln!("hexflow: {warning}"));
    }
    Ok(())
}
