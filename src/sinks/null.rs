//! A sink that only counts: for dry runs, and for measuring all that comes before a sink.

use anyhow::Result;
use hexflow_operators::upsert::Tally;

use super::{Rows, Sink};

/// Counts rows of tables, writes nothing.
#[derive(Default)]
pub struct Null(Tally);

impl Sink for Null {
    type Work = u64;

    fn preparer(&self) -> impl Fn(&Rows) -> u64 + Send + Sync + 'static {
        |rows| match rows {
            Rows::Tracks(_) | Rows::Frames(_) | Rows::Detections(_) => rows.len() as u64,
            // Those of others are counted where they change.
            _ => 0,
        }
    }

    fn write(&mut self, count: u64) -> Result<()> {
        self.0.upserts += count;
        Ok(())
    }

    fn commit(&mut self) -> Result<Tally> {
        Ok(std::mem::take(&mut self.0))
    }
}
