//! `hexflow serve`: the API over a store that is there, whoever writes into it.

use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::api;
use crate::cli::Failure;
use crate::config::Config;
use crate::query::Stored;
use crate::replay::args::Store;

/// Answer questions about a store on api.listen, until SIGTERM or SIGINT.
#[derive(Args, Debug)]
pub struct ServeArgs {
    /// The store to read: sqlite:PATH or clickhouse (the configured one).
    #[arg(long, value_name = "STORE", default_value = "sqlite:hexflow.db")]
    store: Store,
}

/// Answers until told to stop. Fails if the store cannot be read, or the address is not free.
pub fn run(args: &ServeArgs, config: &Config) -> Result<(), Failure> {
    let mut signals = Signals::new([SIGTERM, SIGINT]).context("cannot listen to signals")?;
    let stored = Arc::new(Stored::new(&args.store, config)?);
    stored.check()?;
    api::server::serve_store(config.api.listen, stored)?;
    signals.forever().next();
    Ok(())
}
