//! The alerts that fire, and those that were over lately: what the API shows.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use axum::response::Response;
use serde_json::json;

use crate::api::server::as_json;
use crate::outgoing::alert::Body;

/// Alerts that are over and still shown.
pub const SHOWN: usize = 100;

static BOARD: Mutex<Board> = Mutex::new(Board { firing: BTreeMap::new(), resolved: VecDeque::new() });

struct Board {
    /// By rule and key.
    firing: BTreeMap<(String, String), Body>,
    /// The latest first.
    resolved: VecDeque<Body>,
}

/// Shows what is told of an alert.
pub fn show(body: Body) {
    let mut board = BOARD.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (body.rule.clone(), body.key.clone());
    let same = |known: &Body| (&known.rule, &known.key, known.fired_at) == (&key.0, &key.1, body.fired_at);
    board.resolved.retain(|known| !same(known));
    match body.state {
        "firing" => drop(board.firing.insert(key, body)),
        state => {
            board.firing.remove(&key);
            if state == "resolved" {
                board.resolved.push_front(body);
                board.resolved.truncate(SHOWN);
            }
        }
    }
}

/// All that is shown.
pub fn list() -> Response {
    let board = BOARD.lock().unwrap_or_else(PoisonError::into_inner);
    let firing: Vec<_> = board.firing.values().collect();
    as_json(&json!({ "firing": firing, "resolved": board.resolved }))
}
