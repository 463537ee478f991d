//! A run under way, and what it takes: its processor time, and its memory early and late.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::measure::status_kib;
use crate::programs::hexflow;

/// Time between two looks at its memory.
const PERIOD: Duration = Duration::from_millis(500);

/// Of all looks the part that is early, and that is late.
const PART: usize = 5;

/// A `hexflow run`.
pub(crate) struct Watched {
    child: Child,
    /// Resident memory, MiB, at each look.
    memory: Arc<Mutex<Vec<u64>>>,
    is_over: Arc<AtomicBool>,
}

/// What it took.
pub(crate) struct Took {
    /// User and system time, s.
    pub(crate) cpu_seconds: f64,
    /// The median of resident memory in the second fifth of the time, and in the last.
    pub(crate) early_mib: u64,
    pub(crate) late_mib: u64,
}

impl Watched {
    /// Starts one, of these pipelines and into this store.
    pub(crate) fn start(workers: u64, pipelines: &str, store: &str, settings: &[String]) -> Result<Self> {
        let mut command = Command::new(hexflow());
        command.args(["run", "--pipelines", pipelines, "--store", store, "-w", &workers.to_string()]).args(settings);
        let child = command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().context("cannot run hexflow")?;
        let (memory, is_over) = (Arc::<Mutex<Vec<u64>>>::default(), Arc::new(AtomicBool::new(false)));
        let (id, looks, over) = (child.id(), Arc::clone(&memory), Arc::clone(&is_over));
        thread::spawn(move || {
            while !over.load(Relaxed) {
                looks.lock().unwrap_or_else(PoisonError::into_inner).extend(resident_mib(id));
                thread::sleep(PERIOD);
            }
        });
        Ok(Watched { child, memory, is_over })
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) fn end(mut self) -> Result<Took> {
        let cpu_seconds = cpu_seconds(self.child.id()).unwrap_or_default();
        self.is_over.store(true, Relaxed);
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        let exit = self.child.wait()?;
        if !exit.success() {
            bail!("the run has ended with {exit}");
        }
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let median = |part: &[u64]| {
            let mut part = part.to_vec();
            part.sort_unstable();
            part.get(part.len() / 2).copied().unwrap_or_default()
        };
        let fifth = memory.len() / PART;
        let early_mib = median(&memory[fifth..(2 * fifth).max(fifth)]);
        Ok(Took { cpu_seconds, early_mib, late_mib: median(&memory[memory.len() - fifth..]) })
    }
}

impl Drop for Watched {
    /// A bench that fails leaves no run behind.
    fn drop(&mut self) {
        self.is_over.store(true, Relaxed);
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

fn resident_mib(id: u32) -> Option<u64> {
    Some(status_kib(id, "VmRSS:")? / 1024)
}

fn cpu_seconds(id: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}
