//! Where rows go: each sink has a thread of its own, and a worker never waits for it.
//!
//! ```text
//!   rows --> deliver (an operator) --> a queue a sink --> its thread: prepare, write, write, .. commit --> acknowledgement
//!               holds each batch's capability  <----------------------------------------------------------------+
//! ```
//! A sink's one thread serves all workers: what falls behind is prepared by the workers (`writer.rs`). What is acknowledged
//! is durable. The queues are bounded by the source, which stays a fixed number of epochs ahead.

pub mod clickhouse;
pub mod deliver;
pub mod emit;
pub mod kafka;
pub mod late;
pub mod ndjson;
pub mod null;
pub mod objects;
pub mod sqlite;
pub mod writer;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use hexflow_dataflows::cameras::settle::Settled;
use hexflow_dataflows::decode::DeadLetter;
use hexflow_dataflows::late::LateRecord;
use hexflow_dataflows::rows::{Detection, Frame, Track};
use hexflow_dataflows::{cameras, sensors};
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
    /// What an epoch changes of sensors: all of it is to become durable at once.
    Sensors(Arc<sensors::changes::Changes>),
    /// What an epoch changes of cameras: all of it is to become durable at once.
    Cameras(Arc<cameras::changes::Changes>),
    /// Records that came too late for their windows; of no store of rows.
    Late(Vec<LateRecord>),
    /// Rows of cameras that nothing changes any more; of no store of rows.
    Settled(Arc<Settled>),
}

impl Rows {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Rows::Tracks(batch) => batch.len(),
            Rows::Frames(batch) => batch.len(),
            Rows::Detections(batch) | Rows::Requests(batch) => batch.len(),
            Rows::DeadLetters(letters) => letters.len(),
            Rows::Sensors(changes) => changes.len(),
            Rows::Cameras(changes) => changes.len(),
            Rows::Late(records) => records.len(),
            Rows::Settled(settled) => settled.rows.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Writes rows somewhere, in two halves: on any thread and, in the order in which they come, on a thread of its own.
pub trait Sink: Send + 'static {
    /// How long it waits for more, from the first rows that it has not committed: the dearer a commit, the longer.
    const LINGER: Duration = Duration::from_millis(20);

    /// What a worker makes of rows.
    type Work: Send + 'static;

    /// What is done first, on whatever thread has time: all that needs no knowledge of other rows.
    fn preparer(&self) -> impl Fn(&Rows) -> Self::Work + Send + Sync + 'static;
    /// Takes what was prepared. It need not be durable yet.
    fn write(&mut self, work: Self::Work) -> Result<()>;
    /// Makes durable all that was written; says what became of the rows since the last time that are this sink's to judge.
    fn commit(&mut self) -> Result<Tally>;
}
