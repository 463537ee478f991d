//! The real servers of a live bench: those of the integration tests, started by the same scripts, in folders of their own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::programs::free_port;

/// Servers under way; they end when this is dropped, or this program ends in whatever way.
pub(crate) struct Servers {
    /// Where Kafka listens.
    pub(crate) brokers: String,
    /// Where ClickHouse listens.
    pub(crate) clickhouse: String,
    running: Vec<Child>,
    /// Where files may go.
    pub(crate) folder: TempDir,
}

impl Servers {
    /// Starts a broker and a ClickHouse.
    pub(crate) fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        // Kafka takes the port behind it too.
        let kafka = free_port()?;
        let _ = free_port()?;
        let clickhouse = free_port()?;
        let path = |name: &str| folder.path().join(name).display().to_string();
        let running = vec![
            serve("kafka", "serve", &[&path("kafka"), &kafka.to_string()])?,
            serve("clickhouse", "run", &[&path("clickhouse"), &clickhouse.to_string()])?,
        ];
        let (brokers, clickhouse) = (format!("127.0.0.1:{kafka}"), format!("http://127.0.0.1:{clickhouse}"));
        Ok(Servers { brokers, clickhouse, running, folder })
    }

    /// What a command has to be told of them.
    pub(crate) fn settings(&self) -> Vec<String> {
        let settings = [
            format!("kafka.brokers={}", self.brokers),
            format!("clickhouse.url={}", self.clickhouse),
            "api.listen=127.0.0.1:0".to_owned(),
        ];
        settings.into_iter().flat_map(|setting| ["--set".to_owned(), setting]).collect()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for mut child in self.running.drain(..) {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// Starts one, and waits until it says that it is ready.
fn serve(name: &str, verb: &str, args: &[&str]) -> Result<Child> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/servers").join(name);
    let mut command = Command::new(&script);
    command.arg(verb).args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
    // Tests want a broker that starts quickly, a bench one that runs well.
    command.env("HEXFLOW_BROKER_JAVA", "-XX:+TieredCompilation");
    let mut child = command.spawn().with_context(|| format!("cannot run {}", script.display()))?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("piped")?).read_line(&mut line)?;
    if line.is_empty() {
        bail!("{name} has not started: what is wrong stands above");
    }
    Ok(child)
}
