//! The dumps of one pipeline, made by `hexflow generate`.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::Pipeline;
use crate::measure::measure;
use crate::programs::hexflow;

/// A folder of dumps.
pub(crate) struct Dumps {
    pub(crate) pipeline: Pipeline,
    pub(crate) folder: PathBuf,
    /// Lines.
    pub(crate) records: u64,
}

impl Dumps {
    /// The names of locations.
    pub(crate) fn locations(&self) -> PathBuf {
        self.folder.join("locations.csv")
    }
}

/// About `records`, 5% of them delivered again, up to 2 s out of order. None is late: what is late is for no engine but
/// hexflow.
pub(crate) fn make(pipeline: Pipeline, records: u64, folder: &Path) -> Result<Dumps> {
    let (count, topic) = match pipeline {
        Pipeline::Sensors => ("--readings", "movements"),
        Pipeline::Cameras => ("--detections", "camera-detections"),
    };
    let mut command = Command::new(hexflow());
    command.args(["generate", "--pipeline", pipeline.name(), count, &(records * 20 / 21).to_string(), "--seed", "7"]);
    command.args(["--duplicates", "0.05", "--disorder", "2s"]).arg(folder);
    measure(command)?;
    let dump = BufReader::with_capacity(1 << 18, File::open(folder.join(topic).with_extension("ndjson"))?);
    let mut records = 0;
    for line in dump.split(b'\n') {
        records += u64::from(!line?.is_empty());
    }
    Ok(Dumps { pipeline, folder: folder.to_owned(), records })
}
