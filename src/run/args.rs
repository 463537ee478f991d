//! What `hexflow run` can be told.

use clap::Args;

use crate::cluster::ClusterArgs;
use crate::replay::args::{Pipeline, Store, SummaryFormat};
use crate::sources::kafka::from::From;

/// Read the topics from Kafka, from where the group has come to, until a signal says stop.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// Where rows go: sqlite:PATH, ndjson:DIR or null.
    #[arg(long, value_name = "STORE", default_value = "sqlite:hexflow.db")]
    pub store: Store,
    /// Begin here, not where the group has come to: earliest, latest, @TIME or TOPIC/PARTITION:OFFSET.
    #[arg(long, value_name = "WHERE", value_delimiter = ',')]
    pub from: Vec<From>,
    /// How to say at the end what was done.
    #[arg(long, value_enum, default_value_t = SummaryFormat::Table)]
    pub summary: SummaryFormat,
    /// Which pipelines to run.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "all")]
    pub pipelines: Vec<Pipeline>,
    /// Workers and processes.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}
