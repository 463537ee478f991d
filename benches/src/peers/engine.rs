//! Another engine: two scripts, one that installs it into a cache and one that runs its job.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::measure::{Run, measure_all};

/// A script that does a job, as [`DETECTIONS`] or [`WINDOWS`].
pub(crate) type Script = &'static str;

/// Detections joined, deduplicated and given a cell.
pub(crate) const DETECTIONS: Script = "run";

/// The windows of sensors or of cameras.
pub(crate) const WINDOWS: Script = "run-windows";

/// An engine's scripts, and where it is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Engine {
    pub(crate) name: String,
    scripts: PathBuf,
    cache: PathBuf,
}

/// The last line that a job prints. `seconds` is the job without `startup_seconds`, which come before it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(crate) struct Said {
    pub(crate) version: String,
    pub(crate) parallelism: u64,
    pub(crate) records: u64,
    pub(crate) seconds: f64,
    pub(crate) startup_seconds: f64,
}

/// The engines in `folder` that do `job`, by name; of these only those named, if any are.
pub(crate) fn engines(folder: &Path, cache: &Path, job: Script, only: &[String]) -> Result<Vec<Engine>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry?;
        if entry.path().join(job).is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    if let Some(unknown) = only.iter().find(|name| !names.contains(name)) {
        bail!("--only {unknown}: there is {}", if names.is_empty() { "none".to_owned() } else { names.join(", ") });
    }
    names.retain(|name| only.is_empty() || only.contains(name));
    let engine = |name: String| Engine { scripts: folder.join(&name), cache: cache.join(&name), name };
    Ok(names.into_iter().map(engine).collect())
}

/// The folder of the engines' scripts, and the one where they are installed.
pub(crate) fn places() -> Result<[PathBuf; 2]> {
    let home = std::env::var_os("HOME").context("HOME is not set: there is no place for a cache")?;
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    Ok([scripts, PathBuf::from(home).join(".cache/hexflow/peers")])
}

impl Engine {
    /// Installs it if it is not there.
    pub(crate) fn install(&self) -> Result<()> {
        fs::create_dir_all(&self.cache)?;
        let mut command = Command::new(self.scripts.join("install"));
        command.arg(&self.cache);
        measure_all(vec![command]).with_context(|| format!("{} cannot be installed", self.name))?;
        Ok(())
    }

    /// Runs a job once.
    pub(crate) fn run(&self, job: Script, dumps: &Path, out: &Path, parallelism: u64) -> Result<(Run, Said)> {
        let mut command = Command::new(self.scripts.join(job));
        command.args([&self.cache, dumps, out]).arg(parallelism.to_string());
        let (run, printed) = measure_all(vec![command])?;
        let last = printed.trim_end().lines().next_back().unwrap_or_default();
        let said: Said = serde_json::from_str(last).with_context(|| format!("its last line is {last:?}"))?;
        ensure!(
            said.parallelism == parallelism,
            "it ran at a parallelism of {}, and not {parallelism}",
            said.parallelism
        );
        ensure!(
            said.seconds > 0.0 && said.seconds + said.startup_seconds <= run.seconds + 0.05,
            "its {:.2} s and start-up of {:.2} s are more than the {:.2} s it took in all",
            said.seconds,
            said.startup_seconds,
            run.seconds
        );
        Ok((run, said))
    }
}
