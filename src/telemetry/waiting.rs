//! What this process waits for at the moment: servers that do not answer, sinks that work. It tells a slow process from one
//! that hangs.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What is waited for, by number.
static WAITING: Mutex<(u64, BTreeMap<u64, Wait>)> = Mutex::new((0, BTreeMap::new()));

/// One thing that is waited for.
#[derive(Clone, Debug)]
pub struct Wait {
    /// What, as it is shown.
    pub what: String,
    /// Since when.
    pub since: Instant,
    /// Whether it is a server that does not answer, rather than work that goes on.
    pub is_away: bool,
}

/// Ends a wait when it is dropped.
#[must_use = "the wait ends when this is dropped"]
pub struct Token(u64);

fn all() -> MutexGuard<'static, (u64, BTreeMap<u64, Wait>)> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to wait for `what`.
pub fn begin(what: impl Into<String>, is_away: bool) -> Token {
    let mut all = all();
    all.0 += 1;
    let number = all.0;
    all.1.insert(number, Wait { what: what.into(), since: Instant::now(), is_away });
    Token(number)
}

/// All that is waited for.
pub fn list() -> Vec<Wait> {
    all().1.values().cloned().collect()
}

/// Whether no server is waited for.
pub fn for_nothing() -> bool {
    !all().1.values().any(|wait| wait.is_away)
}

impl Drop for Token {
    fn drop(&mut self) {
        all().1.remove(&self.0);
    }
}
