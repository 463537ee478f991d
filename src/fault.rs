//! What ends a run before its time: the first error of any thread, told once.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Raises errors that end the run; cheap to clone.
#[derive(Clone)]
pub struct Fault(Arc<Sender<anyhow::Error>>);

impl Fault {
    /// A fault, and where its errors arrive.
    pub fn new() -> (Fault, Receiver<anyhow::Error>) {
        let (sender, errors) = channel();
        (Fault(Arc::new(sender)), errors)
    }

    /// Ends the run with `error`.
    pub fn raise(&self, error: anyhow::Error) {
        // Whoever listens ends the process at the first error, so nobody may be left to hear a second.
        let _ = self.0.send(error);
    }
}
