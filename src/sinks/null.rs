//! A sink that only counts: for dry runs, and for measuring all that comes before a sink.

use anyhow::Result;
use hexflow_operators::upsert::Tally;

use super::{Rows, Sink};

/// Counts rows of tables, writes nothing.
pub struct Null;

impl Sink for Null {
    fn write(&mut self, rows: &Rows) -> Result<Tally> {
        let upserts = match rows {
            Rows::Tracks(_) | Rows::Frames(_) | Rows::Detections(_) => rows.len() as u64,
            Rows::Requests(_) | Rows::DeadLetters(_) => 0,
        };
        Ok(Tally { upserts, ..Tally::default() })
    }

    fn commit(&mut self) -> Result<()> {
        Ok(())
    }
}
