//! The table that the dedup operator keeps, driven as the operator drives it.

use anyhow::Result;
use hexflow_operators::upsert::Candidate;
use hexflow_operators::versions::{Verdict, Versions};
use serde_json::Value;

use super::drive::{WINDOW_MS, measure};

/// Fills the table with so many keys.
pub(super) fn run(keys: u64) -> Result<Value> {
    let mut versions = Versions::new(WINDOW_MS);
    measure(keys, |batch| judge(&mut versions, batch))
}

/// A batch, as the operator `upsert` does it.
fn judge(versions: &mut Versions, batch: &[Candidate]) -> u64 {
    let (mut won, mut now_ms) = (0, i64::MIN);
    for Candidate { key, version, event_ms } in batch {
        now_ms = now_ms.max(*event_ms);
        won += u64::from(versions.judge(*key, *version, *event_ms) == Verdict::Upsert);
    }
    versions.advance(now_ms);
    won
}
