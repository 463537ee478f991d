//! Where rows go: each sink has a thread of its own, and a worker never waits for it.
//!
//! ```text
//!   rows --> deliver (an operator) --> a queue a sink --> its thread: write, write, .. commit --> acknowledgement
//!               holds each batch's capability  <-------------------------------------------------------+
//! ```
//! What is acknowledged is durable. The queues are bounded by the source, which stays a fixed number of epochs ahead.

pub mod deliver;
pub mod emit;
pub mod ndjson;
pub mod null;
pub mod objects;
pub mod sqlite;
pub mod writer;

use anyhow::Result;
use hexflow_dataflows::decode::DeadLetter;
use hexflow_dataflows::rows::{Detection, Frame, Track};
use hexflow_operators::share::SharedBatch;
use hexflow_operators::upsert::Tally;

/// Rows of one kind, on their way to sinks.
#[derive(Clone)]
pub enum Rows {
    /// Tracks to write and to send on.
    Tracks(SharedBatch<Track>),
    /// Frames to write and to send on.
    Frames(SharedBatch<Frame>),
    /// Detections to write.
    Detections(SharedBatch<Detection>),
    /// Detections to send on to clusterization.
    Requests(SharedBatch<Detection>),
    /// Records set aside.
    DeadLetters(Vec<DeadLetter>),
}

impl Rows {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Rows::Tracks(batch) => batch.len(),
            Rows::Frames(batch) => batch.len(),
            Rows::Detections(batch) | Rows::Requests(batch) => batch.len(),
            Rows::DeadLetters(letters) => letters.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Writes rows somewhere; called on a thread of its own.
pub trait Sink: Send {
    /// Takes rows, and says what became of those that are its to judge. They need not be durable yet.
    fn write(&mut self, rows: &Rows) -> Result<Tally>;
    /// Makes durable all that was written.
    fn commit(&mut self) -> Result<()>;
}
