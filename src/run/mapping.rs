//! Looks for mapping rows that others put into the embedded store, while partitions wait for some.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use hexflow_dataflows::rows::track_key;

use super::dataflow::Rows;
use crate::progress::Progress;
use crate::sinks::sqlite;
use crate::sources::kafka::gate::Gate;

/// The store, and what to do with what is found in it.
pub struct Lookout {
    /// The embedded store.
    pub path: PathBuf,
    /// How often to look.
    pub interval: Duration,
    /// Tells whether any partition stands still.
    pub progress: Arc<Progress>,
    /// Where new rows go.
    pub rows: Sender<Rows>,
    /// Lets the time pass that they come at.
    pub gate: Gate,
}

impl Lookout {
    /// Starts a thread that looks for as long as the process lives.
    pub fn start(self) -> Result<()> {
        let thread = thread::Builder::new().name("mapping".to_owned());
        thread.spawn(move || self.run()).context("cannot start a thread")?;
        Ok(())
    }

    fn run(self) {
        let (mut last, mut said) = (0, String::new());
        loop {
            thread::sleep(self.interval);
            if self.progress.stalls.load(Relaxed) == 0 {
                continue;
            }
            let found = sqlite::open_to_read(&self.path).and_then(|store| sqlite::mapping_since(&store, &mut last));
            let found = found.unwrap_or_else(|error| {
                // It is read again, and a row that is wrong may be put right.
                let error = format!("{error:#}");
                if error != said {
                    tracing::warn!("{error}");
                    said = error;
                }
                Vec::new()
            });
            if found.is_empty() {
                continue;
            }
            let rows = found.iter().map(|(track, axion)| (track_key(track), axion.as_u128())).collect();
            if self.rows.send(rows).is_err() {
                return;
            }
            self.gate.pulse();
        }
    }
}
