//! A sink's thread: writes what comes, commits when much has come or nothing more does, acknowledges what is durable.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use hexflow_operators::upsert::Tally;
use timely::scheduling::SyncActivator;

use super::{Rows, Sink};
use crate::fault::Fault;

/// Rows in a commit, unless no more come.
const COMMIT_ROWS: usize = 100_000;

/// How long a sink waits for more before it commits what it has.
const LINGER: Duration = Duration::from_millis(20);

/// Rows for a sink, and whom to tell.
pub struct Job {
    /// What to write.
    pub rows: Rows,
    /// Counts a worker's jobs.
    pub ticket: u64,
    /// Whom to tell once it is durable.
    pub reply: Arc<Reply>,
}

/// How a worker hears of its jobs.
pub struct Reply {
    /// Tickets of jobs that are durable, and what became of their rows.
    pub sender: Sender<(u64, Tally)>,
    /// Wakes the worker's operator.
    pub activator: SyncActivator,
}

/// Starts `sink` on a thread named `name`; what it fails with ends the run.
///
/// The thread ends when the last sender is dropped. Whoever joins it knows that all is durable.
pub fn start(name: &str, sink: Box<dyn Sink>, fault: Fault) -> Result<(Sender<Job>, JoinHandle<()>)> {
    let (sender, jobs) = channel();
    let thread = std::thread::Builder::new().name(name.to_owned());
    let what = name.to_owned();
    let run = move || {
        if let Err(error) = serve(sink, &jobs).with_context(|| format!("the {what} sink failed")) {
            fault.raise(error);
        }
    };
    Ok((sender, thread.spawn(run).context("cannot start a thread")?))
}

fn serve(mut sink: Box<dyn Sink>, jobs: &Receiver<Job>) -> Result<()> {
    let mut written = Vec::new();
    let mut rows = 0;
    loop {
        let next = if written.is_empty() {
            jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            jobs.recv_timeout(LINGER)
        };
        let ended = matches!(next, Err(RecvTimeoutError::Disconnected));
        if let Ok(job) = next {
            rows += job.rows.len();
            let tally = sink.write(&job.rows)?;
            written.push((job.ticket, tally, job.reply));
            if rows < COMMIT_ROWS {
                continue;
            }
        }
        sink.commit()?;
        rows = 0;
        for (ticket, tally, reply) in written.drain(..) {
            // A worker that is gone needs no word.
            let _ = reply.sender.send((ticket, tally));
            let _ = reply.activator.activate();
        }
        if ended {
            return Ok(());
        }
    }
}
