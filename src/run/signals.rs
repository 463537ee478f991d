//! SIGTERM and SIGINT: the first says stop, the second abort; and stopping has its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tracing::{error, info};

/// How long what is in flight may take to be stored: less than the 30 s after which supervisors kill.
const PATIENCE: Duration = Duration::from_secs(25);

/// Sets `stop` at the first signal; the second ends the process at once with exit code 1. Before anything is `under_way`,
/// while servers are waited for, the first ends it with 0.
pub fn listen(stop: Arc<AtomicBool>, under_way: Arc<AtomicBool>) -> Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT]).context("cannot listen to signals")?;
    let wait = move || {
        for _ in signals.forever() {
            if stop.swap(true, Relaxed) {
                error!("aborted; what was stored stays, and the rest is read again by the next run");
                std::process::exit(1);
            }
            if !under_way.load(Relaxed) {
                info!("stopped before anything was read");
                std::process::exit(0);
            }
            info!("stopping; once more to abort");
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait).context("cannot start a thread")?;
    Ok(())
}

/// Ends the process with exit code 1 unless it has ended by itself in time.
pub fn end_in_time() {
    let wait = || {
        thread::sleep(PATIENCE);
        error!(
            "not all was stored within {} s; what was stored stays, and the rest is read again by the next run",
            PATIENCE.as_secs()
        );
        std::process::exit(1);
    };
    // Without the thread it may take longer, and nothing is lost.
    let _ = thread::Builder::new().name("patience".to_owned()).spawn(wait);
}
