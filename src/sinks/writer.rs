//! A sink's thread: writes what comes, commits when much has come or nothing more does, acknowledges what is durable.
//!
//! Rows are prepared by whoever has time: by the sink's thread while little waits for it, else by the worker that hands them
//! over. So one worker is not kept from its next rows, and many are not held up by one thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hexflow_operators::upsert::Tally;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use timely::scheduling::SyncActivator;

use super::{Rows, Sink};
use crate::fault::Fault;
use crate::telemetry::{labels, metrics, waiting};

/// Rows in a commit, unless no more come.
const COMMIT_ROWS: usize = 100_000;

/// Jobs that may wait for a sink's thread to prepare them: an epoch's or two.
const UNPREPARED_JOBS: usize = 4;

/// The way to a sink's thread; cheap to clone.
#[derive(Clone)]
pub struct Queue(Arc<dyn Fn(&Rows, u64, Arc<Reply>) + Send + Sync>);

impl Queue {
    /// Puts `rows` into the queue, prepared if it is long; `reply` hears of `ticket` once they are durable.
    pub fn hand(&self, rows: &Rows, ticket: u64, reply: Arc<Reply>) {
        (self.0)(rows, ticket, reply);
    }
}

/// How a worker hears of its rows.
pub struct Reply {
    /// Tickets of what is durable, and what became of rows.
    pub sender: Sender<(u64, Tally)>,
    /// Wakes the worker's operator.
    pub activator: SyncActivator,
}

/// What lies in a queue.
struct Job<W> {
    work: Work<W>,
    rows: usize,
    /// When it was handed over.
    since: Instant,
    ticket: u64,
    reply: Arc<Reply>,
}

/// Rows, prepared or not.
enum Work<W> {
    Prepared(W),
    Rows(Rows),
}

/// Starts `sink` on a thread named `name`; what it fails with ends the run.
///
/// The thread ends when the last clone of its queue is dropped. Whoever joins it knows that all is durable.
pub fn start<S: Sink>(name: &str, sink: S, fault: Fault) -> Result<(Queue, JoinHandle<()>)> {
    let (sender, jobs) = channel();
    let (prepare, waiting) = (Arc::new(sink.preparer()), Arc::new(AtomicUsize::new(0)));
    let queue = Incoming { jobs, waiting: Arc::clone(&waiting), prepare: Arc::clone(&prepare) };
    let hand = move |rows: &Rows, ticket, reply| {
        let is_short = waiting.fetch_add(1, Relaxed) < UNPREPARED_JOBS;
        let work = if is_short { Work::Rows(rows.clone()) } else { Work::Prepared(prepare(rows)) };
        // A sink whose thread has ended has raised the fault that ends this run.
        let _ = sender.send(Job { work, rows: rows.len(), since: Instant::now(), ticket, reply });
    };
    let thread = std::thread::Builder::new().name(name.to_owned());
    let what = name.to_owned();
    let run = move || {
        if let Err(error) = serve(&what, sink, &queue).with_context(|| format!("the {what} sink failed")) {
            fault.raise(error);
        }
    };
    Ok((Queue(Arc::new(hand)), thread.spawn(run).context("cannot start a thread")?))
}

/// The thread's end of a queue.
struct Incoming<W, P> {
    jobs: Receiver<Job<W>>,
    /// How many jobs are in it, about.
    waiting: Arc<AtomicUsize>,
    prepare: Arc<P>,
}

impl<W, P: Fn(&Rows) -> W> Incoming<W, P> {
    fn prepared(&self, work: Work<W>) -> W {
        self.waiting.fetch_sub(1, Relaxed);
        match work {
            Work::Prepared(work) => work,
            Work::Rows(rows) => (self.prepare)(&rows),
        }
    }
}

/// A sink's metrics.
struct Told {
    time: Histogram,
    rows: Counter,
    queue: Gauge,
}

impl Told {
    fn new(name: &str) -> Self {
        let (label, metrics) = (labels::Sink { sink: name.to_owned() }, metrics());
        let time = metrics.sink_time.get_or_create(&label).clone();
        let rows = metrics.sink_rows.get_or_create(&label).clone();
        Told { time, rows, queue: metrics.sink_queue.get_or_create(&label).clone() }
    }

    fn committed(&self, time: Duration, rows: usize, queue: usize) {
        self.time.observe(time.as_secs_f64());
        self.rows.inc_by(rows as u64);
        self.queue.set(i64::try_from(queue).unwrap_or(i64::MAX));
    }
}

fn serve<S: Sink>(name: &str, mut sink: S, queue: &Incoming<S::Work, impl Fn(&Rows) -> S::Work>) -> Result<()> {
    let (mut written, told) = (Vec::new(), Told::new(name));
    let (mut rows, mut since) = (0, Instant::now());
    loop {
        let next = if written.is_empty() {
            queue.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            queue.jobs.recv_timeout(S::LINGER.saturating_sub(since.elapsed()))
        };
        let ended = matches!(next, Err(RecvTimeoutError::Disconnected));
        if let Ok(job) = next {
            if written.is_empty() {
                since = job.since;
            }
            rows += job.rows;
            let _busy = waiting::begin(name, false);
            sink.write(queue.prepared(job.work))?;
            written.push((job.ticket, job.reply));
            if rows < COMMIT_ROWS {
                continue;
            }
        }
        let began = Instant::now();
        let mut tally = {
            let _busy = waiting::begin(name, false);
            sink.commit()?
        };
        told.committed(began.elapsed(), rows, queue.waiting.load(Relaxed));
        rows = 0;
        for (ticket, reply) in written.drain(..) {
            // The first tells for all. A worker that is gone needs no word.
            let _ = reply.sender.send((ticket, std::mem::take(&mut tally)));
            let _ = reply.activator.activate();
        }
        if ended {
            return Ok(());
        }
    }
}
