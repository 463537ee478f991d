//! The rows that are sent: detections that hexflow's own decoder made of generated records, in columns and as owned rows.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use hexflow_dataflows::headers::Headers;
use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::parse;
use hexflow_dataflows::record::{Offer, Payload, Records};
use hexflow_dataflows::rows::Detection;
use hexflow_operators::Batch;
use hexflow_operators::cells::Cells;

use super::fields::Fields;
use super::owned::{self, Tuple};
use crate::records::Memory;

/// Rows in a batch: about the detections in one of a replay's epochs.
pub(super) const ROWS_PER_BATCH: usize = 1_000;

/// The detections of a folder's dumps, in their order.
pub(super) fn read(folder: &Path) -> Result<Vec<Batch<Detection>>> {
    let memory = Memory::read(folder)?;
    let (mut batches, mut wrong) = (vec![Batch::default()], None);
    let mut cells = Cells::new(2).context("a resolution")?;
    for indexes in memory.dealt_to(0, 1, memory.len()).chunks(ROWS_PER_BATCH) {
        memory.slice(indexes).for_each(|record| {
            if record.topic != Topic::CitylensDetections {
                return Offer::Taken;
            }
            if batches.last().is_none_or(|batch| batch.len() >= ROWS_PER_BATCH) {
                batches.push(Batch::default());
            }
            let into = batches.last_mut().expect("there is one by now");
            match parse::detection(record, &Headers::of(record), &mut cells, into) {
                Err(_) if matches!(record.payload, Some(Payload::Escaped(_))) => return Offer::AsText,
                Err(error) => wrong = Some(error),
                Ok(()) => {}
            }
            Offer::Taken
        });
    }
    ensure!(wrong.is_none(), "a generated record is malformed: {}", wrong.unwrap_or_default());
    batches.last().filter(|batch| !batch.is_empty()).context("no rows")?;
    Ok(batches)
}

/// The same rows, owned.
pub(super) fn owned(batches: &[Batch<Detection>]) -> Vec<Vec<Tuple>> {
    batches.iter().map(|batch| batch.iter().map(|row| owned::tuple(&Fields::of(row))).collect()).collect()
}

/// The number of rows, and the sum of their hashes.
pub(super) fn sum(batches: &[Batch<Detection>]) -> (u64, u64) {
    let rows = batches.iter().flat_map(Batch::iter);
    rows.fold((0, 0), |(count, sum), row| (count + 1, Fields::of(row).hash().wrapping_add(sum)))
}
