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

/// Makes any thread's panic end the process with exit code 1 and one line that says why, at once: a worker that is gone
/// would leave the others waiting for ever.
pub fn end_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("no message");
        match message.strip_prefix("timely communication error: ") {
            Some(error) => eprintln!(
                "hexflow: lost another process of the cluster ({error}): start all of them again; what was stored stays"
            ),
            None => eprintln!("hexflow: internal error, please report it: {panic}"),
        }
        std::process::exit(1);
    }));
}
