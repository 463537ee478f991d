//! `hexflow migrate`: makes what the pipelines need in the servers they write to, and leaves alone what is there.
//!
//! Each server is a target: it says what is there and what is not, and makes what is missing.

pub mod clickhouse;
pub mod postgres;
pub mod step;

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
    /// Only in these servers; without it in all that are configured.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SERVER")]
    only: Vec<Server>,
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

/// Makes what is missing. A second run finds nothing to do.
pub fn run(args: &MigrateArgs, config: &Config) -> Result<(), Failure> {
    let is_meant = |server| args.only.is_empty() || args.only.contains(&server);
    let mut targets: Vec<Box<dyn Target>> = Vec::new();
    match &config.postgres.url {
        Some(url) if is_meant(Server::Postgres) => targets.push(Box::new(postgres::Tables::new(url)?)),
        None if args.only.contains(&Server::Postgres) => return Err(Failure::usage("postgres.url is not set")),
        _ => {}
    }
    if is_meant(Server::Clickhouse) {
        targets.push(Box::new(clickhouse::Tables::new(&config.clickhouse)?));
    }
    for target in &targets {
        print(format!("{}\n", target.name()).as_bytes())?;
        for step in target.plan()? {
            if let (State::Missing(statement), false) = (&step.state, args.dry_run) {
                target.make(statement)?;
            }
            print(step.told(args.dry_run).as_bytes())?;
            step.warnings().for_each(|warning| eprintln!("hexflow: {warning}"));
        }
    }
    Ok(())
}
