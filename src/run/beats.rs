//! Beats between the processes of a cluster: each tells the others once a second that it lives, and whether it waits for
//! something.
//!
//! They go through a small dataflow of their own beside the pipelines', so that they pass also when records do not. A
//! process that is stopped, or cut off without its connections being closed, is noticed by its silence, which nothing else
//! would tell.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use timely::container::CapacityContainerBuilder;
use timely::dataflow::InputHandle;
use timely::dataflow::operators::vec::Broadcast;
use timely::dataflow::operators::{Input, Inspect};
use timely::worker::Worker;

use crate::telemetry::waiting;

/// Time between two beats.
pub const PERIOD: Duration = Duration::from_secs(1);

/// What was heard of each process last: when, and whether it waited for something.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<BTreeMap<usize, (Instant, bool)>>>);

impl Heard {
    fn all(&self) -> MutexGuard<'_, BTreeMap<usize, (Instant, bool)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process has said that it lives.
    pub fn hear(&self, process: usize, waits: bool) {
        self.all().insert(process, (Instant::now(), waits));
    }

    /// A process that has been silent for `patience`, of those that were ever heard.
    pub fn silent(&self, patience: Duration) -> Option<usize> {
        let silent = |(_, (when, _)): &(&usize, &(Instant, bool))| when.elapsed() > patience;
        self.all().iter().find(silent).map(|(process, _)| *process)
    }

    /// Whether any process waits for something.
    pub fn anyone_waits(&self) -> bool {
        self.all().values().any(|(_, waits)| *waits)
    }
}

/// The sender of a process's beats; its first worker has it, the others only pass them on.
pub struct Beats {
    input: InputHandle<u64, CapacityContainerBuilder<Vec<(u64, bool)>>>,
    process: usize,
    last: Option<Instant>,
}

impl Beats {
    /// Builds the dataflow on a worker of `process`; `heard` learns of all beats. It ends when what is returned is dropped
    /// on all workers.
    pub fn build(worker: &mut Worker, process: usize, heard: Heard) -> Self {
        let mut input = InputHandle::new();
        worker.dataflow_named("Beats", |scope| {
            let beats = scope.input_from(&mut input).broadcast();
            beats.inspect(move |&(process, waits)| {
                heard.hear(usize::try_from(process).unwrap_or(usize::MAX), waits);
            });
        });
        Beats { input, process, last: None }
    }

    /// Beats if it is time.
    pub fn beat(&mut self) {
        if self.last.is_some_and(|last| last.elapsed() < PERIOD) {
            return;
        }
        self.last = Some(Instant::now());
        self.input.send((self.process as u64, !waiting::list().is_empty()));
        self.input.flush(); // their time never passes: nothing waits for it
    }
}
