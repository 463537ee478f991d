//! The commands that are measured: hexflow's own replay at any size, and the limit.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Context, Result};

/// Ports below those that the system gives to outgoing connections, which would take one between here and its use.
static NEXT_PORT: AtomicU16 = AtomicU16::new(14_000);

/// The end of the ports that are tried.
const LAST_PORT: u16 = 30_000;

/// The program that is measured, beside this one.
pub(crate) fn hexflow() -> PathBuf {
    std::env::current_exe().unwrap_or_default().with_file_name("hexflow")
}

/// Where a replay's rows go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// Nowhere.
    Null,
    /// Into lines of JSON.
    Ndjson,
    /// Into an SQLite file.
    Sqlite,
}

impl Store {
    /// How it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Store::Null => "null",
            Store::Ndjson => "ndjson",
            Store::Sqlite => "sqlite",
        }
    }

    /// What `--store` takes.
    fn argument(self, out: &Path) -> String {
        match self {
            Store::Null => "null".to_owned(),
            Store::Ndjson => format!("ndjson:{}", out.display()),
            Store::Sqlite => format!("sqlite:{}", out.join(DATABASE).display()),
        }
    }
}

/// The file of [`Store::Sqlite`].
pub(crate) const DATABASE: &str = "hexflow.db";

/// A program that reads dumps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// The hand-written one.
    Limit,
    /// `hexflow replay`.
    Replay {
        /// Where rows go.
        store: Store,
        /// Workers in each process.
        workers: u64,
        /// Processes.
        processes: u64,
    },
}

impl Program {
    /// A replay in one process.
    pub(crate) fn replay(store: Store, workers: u64) -> Self {
        Program::Replay { store, workers, processes: 1 }
    }

    /// How it is called.
    pub(crate) fn name(self) -> String {
        match self {
            Program::Limit => "limit".to_owned(),
            Program::Replay { store, workers, processes: 1 } => format!("hexflow -w {workers}, {}", store.name()),
            Program::Replay { store, workers, processes } => {
                format!("hexflow -n {processes} -w {workers}, {}", store.name())
            }
        }
    }

    /// Whether it leaves tables as lines of JSON.
    pub(crate) fn leaves_lines(self) -> bool {
        matches!(self, Program::Limit | Program::Replay { store: Store::Ndjson, .. })
    }

    /// A command for each process.
    pub(crate) fn commands(self, dumps: &Path, out: &Path) -> Result<Vec<Command>> {
        match self {
            Program::Limit => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("--limit-run").args([dumps, out]);
                Ok(vec![command])
            }
            Program::Replay { store, workers, processes } => {
                let hosts = free_addresses(if processes > 1 { processes } else { 0 })?.join(",");
                let replay = |process: u64| {
                    let mut command = Command::new(hexflow());
                    command.arg("replay").arg(dumps).arg("--store").arg(store.argument(out));
                    command.args(["-w", &workers.to_string()]);
                    if processes > 1 {
                        command.args(["-n", &processes.to_string(), "-p", &process.to_string(), "--hosts", &hosts]);
                    }
                    command
                };
                Ok((0..processes).map(replay).collect())
            }
        }
    }
}

/// Addresses of this machine whose ports are free, and given out once.
fn free_addresses(count: u64) -> Result<Vec<String>> {
    (0..count).map(|_| Ok(format!("127.0.0.1:{}", free_port()?))).collect()
}

/// A port of this machine that is free, and given out once.
pub(crate) fn free_port() -> Result<u16> {
    // Two of these programs at a time begin at different ports.
    let offset = u16::try_from(std::process::id() % 100).unwrap_or(0) * 100;
    loop {
        let port = NEXT_PORT.fetch_add(1, Ordering::Relaxed) + offset;
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(_) => return Ok(port),
            Err(error) if port >= LAST_PORT => return Err(error).context("no port is free"),
            Err(_) => {}
        }
    }
}
