//! The partitions that stand still, as a run's API shows them.

use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use axum::response::Response;
use serde::Serialize;
use serde_json::json;

use super::server::as_json;

/// A partition that stands still.
#[derive(Clone, Debug, Serialize)]
pub struct Standing {
    /// The topic's name on the brokers.
    pub topic: String,
    /// The partition's number.
    pub partition: u32,
    /// The offset of the record that cannot go on.
    pub offset: u64,
    /// Why.
    pub reason: String,
    /// The first bytes of the record.
    pub head: String,
    /// Since when, ms since the epoch.
    pub since: u64,
}

static STANDING: Mutex<Vec<Standing>> = Mutex::new(Vec::new());

/// These stand still, of all processes of the cluster.
pub fn set(standing: Vec<Standing>) {
    *STANDING.lock().unwrap_or_else(PoisonError::into_inner) = standing;
}

/// The present time, as [`Standing::since`] has it.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// All of them.
pub fn list() -> Response {
    let standing = STANDING.lock().unwrap_or_else(PoisonError::into_inner).clone();
    as_json(&json!({ "stalls": standing }))
}
