//! The partitions that stand still, as a run's API shows them.

use std::sync::{Mutex, PoisonError};

use axum::response::Response;
use serde_json::json;

use super::server::as_json;
use crate::control::store::Standing;

static STANDING: Mutex<Vec<Standing>> = Mutex::new(Vec::new());

/// These stand still, of all processes of the cluster.
pub fn set(standing: Vec<Standing>) {
    *STANDING.lock().unwrap_or_else(PoisonError::into_inner) = standing;
}

/// All of them.
pub fn list() -> Response {
    let standing = STANDING.lock().unwrap_or_else(PoisonError::into_inner).clone();
    as_json(&json!({ "stalls": standing }))
}
