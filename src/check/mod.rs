//! `hexflow check`: a list of what a run needs, each thing with how it stands, and what to do about what is wrong.

pub mod clickhouse;
pub mod kafka;
pub mod locations;
pub mod postgres;
pub mod storage;

use anyhow::anyhow;
use clap::Args;
use serde::Serialize;

use crate::cli::{Failure, print};
use crate::config::{Config, Origin};
use crate::patience;
use crate::replay::args::Store;

/// What `hexflow check` can be told.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The store that the run will write to: sqlite:PATH, clickhouse, ndjson:DIR or null.
    #[arg(long, value_name = "STORE", default_value = "sqlite:hexflow.db")]
    store: Store,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// One thing that a run needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What it is.
    pub what: String,
    /// How it stands; or what is wrong with it and what to do.
    pub result: Result<String, String>,
}

impl Check {
    /// A thing and how it stands.
    pub fn new(what: impl Into<String>, result: Result<String, String>) -> Self {
        Check { what: what.into(), result }
    }

    fn line(&self) -> String {
        match &self.result {
            Ok(detail) => format!("✓ {}: {detail}\n", self.what),
            Err(reason) => format!("✗ {}: {reason}\n", self.what),
        }
    }
}

/// Looks at everything and prints it; fails unless all is well.
pub fn run(args: &CheckArgs, config: &Config) -> Result<(), Failure> {
    let mut checks = kafka::checks(config);
    if args.store == Store::ClickHouse || *config.origin("clickhouse.url") != Origin::Default {
        checks.extend(clickhouse::checks(&config.clickhouse));
    }
    checks.extend(config.postgres.url.iter().flat_map(postgres::checks));
    checks.extend(storage::checks(&args.store, config));
    checks.extend(locations::check(config));
    if args.json {
        print(json(&checks)?.as_bytes())?;
    } else {
        print(checks.iter().map(Check::line).collect::<String>().as_bytes())?;
    }
    match checks.iter().filter(|check| check.result.is_err()).count() {
        0 => Ok(()),
        wrong => Err(Failure::Run(anyhow!("{wrong} of {} checks have failed", checks.len()))),
    }
}

/// What is wrong, of a server that is asked once.
fn told(failure: patience::Failure) -> String {
    failure.asked_once().told().to_string()
}

/// A check in JSON.
#[derive(Serialize)]
struct Told<'a> {
    what: &'a str,
    ok: bool,
    detail: &'a str,
}

#[derive(Serialize)]
struct All<'a> {
    ok: bool,
    checks: Vec<Told<'a>>,
}

fn json(checks: &[Check]) -> anyhow::Result<String> {
    let told = |check: &'_ Check| -> (bool, String) {
        (check.result.is_ok(), check.result.clone().unwrap_or_else(std::convert::identity))
    };
    let details: Vec<_> = checks.iter().map(told).collect();
    let checks = checks.iter().zip(&details).map(|(check, (ok, detail))| Told { what: &check.what, ok: *ok, detail });
    let all = All { ok: details.iter().all(|(ok, _)| *ok), checks: checks.collect() };
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}
