//! Runs a part of a bench in a process of its own: memory starts empty, and what ran before leaves no trace.

use std::io::Write;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{exchange, state};

/// Starts this program again; the first argument names the part, what follows it is the part's.
pub(crate) fn start(arguments: &[&str]) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--part").args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
    command.spawn().with_context(|| format!("cannot run {command:?}"))
}

/// Waits for a part, and reads the JSON that it found.
pub(crate) fn finish(child: Child) -> Result<Value> {
    let out = child.wait_with_output()?;
    ensure!(out.status.success(), "a part of the bench ended with {}", out.status);
    // Timely 0.12 prints to standard output while it waits for the other process.
    let last = out.stdout.trim_ascii_end().rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
    serde_json::from_slice(last).context("a part of the bench told no JSON")
}

/// Runs the part that the arguments name, in this process.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let found = match arguments {
        [part, rest @ ..] if part == "state" => state::part(rest)?,
        [part, rest @ ..] if part == "exchange" => exchange::part(rest)?,
        other => bail!("{other:?} is no part of a bench"),
    };
    Ok(writeln!(std::io::stdout(), "{found}")?)
}

/// A figure that a part told.
pub(crate) fn figure(found: &Value, name: &str) -> Result<f64> {
    found[name].as_f64().with_context(|| format!("a part of the bench told no {name}"))
}
