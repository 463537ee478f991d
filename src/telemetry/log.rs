//! The log: one line an event on standard error, as text for people or as JSON for machines.

use std::io::stderr;

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Begins to log. Only the first call of a process counts.
pub fn start(log: &Log) {
    // Libraries speak only when something is wrong with them.
    let filter = EnvFilter::new(format!("warn,hexflow={}", log.level.name()));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(false);
    // A second subscriber is refused, and the first goes on.
    let _ = match log.format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}
