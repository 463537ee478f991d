//! The gate between the feeder and the workers' sources of a process: what is dealt, and from which time on.
//!
//! Epochs are numbers that only grow. The floor is the lowest that the feeder may still use: once a source has emitted all
//! that was dealt, it lets the floor pass. A process that reads nothing must not hold back the others, so whoever hears of
//! another process's epoch raises its own floor above it; clocks have no part in it.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use timely::scheduling::SyncActivator;

use super::batch::Batch;

/// What a worker is dealt.
pub enum Dealt {
    /// Its records of an epoch: those that come again, and those that come first.
    Epoch(u64, [Batch; 2]),
    /// All processes are to stop.
    Stop(u64),
}

/// The gate of one process; cheap to clone.
#[derive(Clone)]
pub struct Gate(Arc<Mutex<State>>);

struct State {
    /// None when nothing more will be dealt.
    floor: Option<u64>,
    /// Whether a process of the cluster stops.
    stopping: bool,
    workers: Vec<Sender<Dealt>>,
    activators: Vec<SyncActivator>,
}

impl Gate {
    /// A gate to workers that receive on the other sides of `workers`; the first epoch is 1, 0 is for what stood before.
    pub fn new(workers: Vec<Sender<Dealt>>) -> Self {
        Gate(Arc::new(Mutex::new(State { floor: Some(1), stopping: false, workers, activators: Vec::new() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How sources are woken, once all can be.
    pub fn wake_by(&self, activators: Vec<SyncActivator>) {
        let mut state = self.state();
        state.activators = activators;
        state.wake();
    }

    /// Lets an epoch without records pass, on all processes: for who has put something else into the dataflow.
    pub fn pulse(&self) {
        let count = self.state().workers.len();
        self.deal((0..count).map(|_| Default::default()).collect());
    }

    /// Deals an epoch, a pair of batches a worker; the epoch's number.
    pub fn deal(&self, batches: Vec<[Batch; 2]>) -> Option<u64> {
        let mut state = self.state();
        let epoch = state.floor?;
        for (worker, batches) in state.workers.iter().zip(batches) {
            worker.send(Dealt::Epoch(epoch, batches)).ok()?; // a worker that is gone took the process with it
        }
        state.floor = Some(epoch + 1);
        state.wake();
        Some(epoch)
    }

    /// Deals no more, and tells all processes to stop.
    pub fn close(&self) {
        let mut state = self.state();
        if let Some(epoch) = state.floor.take() {
            for worker in &state.workers {
                let _ = worker.send(Dealt::Stop(epoch));
            }
            state.wake();
        }
    }

    /// Another process has dealt `epoch`, or stops.
    pub fn hear(&self, epoch: u64, stops: bool) {
        let mut state = self.state();
        state.stopping |= stops;
        if let Some(floor) = state.floor.as_mut().filter(|floor| **floor <= epoch) {
            *floor = epoch + 1;
            state.wake();
        }
    }

    /// Wakes the workers: something came to them by another way.
    pub fn wake(&self) {
        self.state().wake();
    }

    /// The lowest epoch still to come; none when there is none. What is below it was dealt.
    pub fn floor(&self) -> Option<u64> {
        self.state().floor
    }

    /// Whether a process of the cluster stops.
    pub fn is_stopping(&self) -> bool {
        self.state().stopping
    }
}

impl State {
    fn wake(&self) {
        // A worker that is gone needs no waking.
        for activator in &self.activators {
            let _ = activator.activate();
        }
    }
}
