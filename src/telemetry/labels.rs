//! The labels that metrics are told apart by.

use prometheus_client::encoding::EncodeLabelSet;

/// A partition, by its topic's name on the brokers.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Partition {
    /// The topic.
    pub topic: String,
    /// The partition's number.
    pub partition: u32,
}

/// A sink.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Sink {
    /// Its thread's name.
    pub sink: String,
}

/// A server that answers or does not.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Server {
    /// As it is shown in the log.
    pub server: String,
}

/// What became of a record.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Outcome {
    /// `upsert`, `duplicate`, `stale`, `ignored`, `malformed`, `dead_letter` or `skipped`.
    pub outcome: &'static str,
}

/// A pipeline.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Pipeline {
    /// Its name.
    pub pipeline: &'static str,
}

/// Something that is remembered.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct State {
    /// What.
    pub state: &'static str,
}
