//! Whether a process is ready: it is a member of the group, and the servers that it needs answer.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::server::as_json;
use crate::telemetry::waiting;

/// A server that is away for less is no reason to be called not ready.
const GRACE: Duration = Duration::from_secs(2);

/// Whether this process has become a member of its consumer group.
static JOINED: AtomicBool = AtomicBool::new(false);

/// This process is a member of its group.
pub fn joined() {
    JOINED.store(true, Relaxed);
}

/// 200 when it is ready, 503 with the reasons when it is not.
pub fn ready() -> Response {
    let mut reasons: Vec<String> = waiting::list()
        .into_iter()
        .filter(|wait| wait.is_away && wait.since.elapsed() > GRACE)
        .map(|wait| format!("waits for {} since {} s", wait.what, wait.since.elapsed().as_secs()))
        .collect();
    if !JOINED.load(Relaxed) {
        reasons.push("is no member of the consumer group yet".to_owned());
    }
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, as_json(&json!({ "ready": reasons.is_empty(), "reasons": reasons }))).into_response()
}
