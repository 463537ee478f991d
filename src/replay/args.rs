//! What `hexflow replay` can be told.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use hexflow_dataflows::pipelines::{self, Pipelines};

use crate::archive::hour::Hour;
use crate::cluster::ClusterArgs;

/// Replay topic dumps, as `kcat -C -t TOPIC -e -J` writes them.
#[derive(Args, Debug)]
pub struct ReplayArgs {
    /// Dumps, plain or packed with gzip or zstd; folders of them; archives, s3://BUCKET/PREFIX or file:///FOLDER, or a topic, a
    /// day or an hour of one; or - for standard input.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// Replay archives from this hour on: 2026-11-21, or 2026-11-21T13.
    #[arg(long, value_name = "HOUR")]
    pub from: Option<Hour>,
    /// Replay archives up to this hour, which is left out.
    #[arg(long, value_name = "HOUR")]
    pub to: Option<Hour>,
    /// Where rows go: sqlite:PATH, clickhouse (the configured one), ndjson:DIR or null.
    #[arg(long, value_name = "STORE", default_value = "sqlite:hexflow.db")]
    pub store: Store,
    /// Write outgoing topics as dumps into a folder.
    #[arg(long, value_name = "DIR")]
    pub emit: Option<PathBuf>,
    /// Do everything but write.
    #[arg(long)]
    pub dry_run: bool,
    /// How to say what was done.
    #[arg(long, value_enum, default_value_t = SummaryFormat::Table)]
    pub summary: SummaryFormat,
    /// Which pipelines to run.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "all")]
    pub pipelines: Vec<Pipeline>,
    /// Workers and processes.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// How a summary is written.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SummaryFormat {
    /// A table for people.
    Table,
    /// One JSON object.
    Json,
}

/// A pipeline that can be run.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pipeline {
    /// Every pipeline.
    All,
    /// Tracks, frames and detections of citylens.
    Citylens,
    /// Speeds of travellers at sensors.
    Sensors,
    /// What cameras see.
    Cameras,
}

/// The pipelines that were asked for.
pub fn chosen(pipelines: &[Pipeline]) -> Pipelines {
    let each = pipelines.iter().flat_map(|pipeline| -> &'static [pipelines::Pipeline] {
        match pipeline {
            Pipeline::All => &pipelines::Pipeline::ALL,
            Pipeline::Citylens => &[pipelines::Pipeline::Citylens],
            Pipeline::Sensors => &[pipelines::Pipeline::Sensors],
            Pipeline::Cameras => &[pipelines::Pipeline::Cameras],
        }
    });
    each.copied().collect()
}

/// Where rows go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// The embedded store, a file.
    Sqlite(PathBuf),
    /// The configured ClickHouse.
    ClickHouse,
    /// Lines of JSON, a folder.
    Ndjson(PathBuf),
    /// Nowhere.
    Null,
}

impl FromStr for Store {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Store::Sqlite(path.into())),
            Some(("ndjson", path)) if !path.is_empty() => Ok(Store::Ndjson(path.into())),
            None if text == "clickhouse" => Ok(Store::ClickHouse),
            None if text == "null" => Ok(Store::Null),
            _ => Err("expected sqlite:PATH, clickhouse, ndjson:DIR or null".to_owned()),
        }
    }
}
