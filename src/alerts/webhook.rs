//! Posts alerts to one address, in order, each until it is answered.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use reqwest::{Client, StatusCode};
use tokio::runtime::{Builder, Runtime};
use tracing::{error, warn};

use super::queue::Queue;
use crate::config::Secret;
use crate::outgoing::alert::Body;
use crate::patience::{Failure, Patience, chain};
use crate::telemetry::events;

/// Notices that may wait.
const MOST: usize = 1_000;

/// How long an answer is awaited.
const ANSWER: Duration = Duration::from_secs(10);

/// How long the end of a run waits for what is still to be posted.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// An address and what is to be posted there.
pub struct Webhook(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    whom: String,
}

struct State {
    waiting: Queue,
    /// Whether one is being posted.
    is_busy: bool,
    has_told_of_loss: bool,
}

impl Webhook {
    /// Starts posting to `url`, with at most `longest` between two attempts.
    pub fn start(url: &Secret, longest: Duration) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().context("cannot start a runtime")?;
        let client = Client::builder().timeout(ANSWER).build().context("cannot start a client of webhooks")?;
        let state = State { waiting: Queue::new(MOST), is_busy: false, has_told_of_loss: false };
        let whom = format!("the webhook at {}", host(url.expose()));
        events::webhook_known(&whom);
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), whom });
        let (mine, url) = (Arc::clone(&shared), url.expose().to_owned());
        let run = move || mine.serve(&Post { client, runtime, url }, longest);
        thread::Builder::new().name("webhook".to_owned()).spawn(run).context("cannot start a thread")?;
        Ok(Webhook(shared))
    }

    /// Has an alert posted before long.
    pub fn post(&self, body: Body) {
        let mut state = self.0.lock();
        if let Some(lost) = state.waiting.push(body) {
            let is_told = !std::mem::replace(&mut state.has_told_of_loss, true);
            events::alert_left_out(&self.0.whom, &lost.rule, &lost.key, MOST, is_told);
        }
        drop(state);
        self.0.changed.notify_all();
    }
}

/// What waits is given a little time, and then left.
impl Drop for Webhook {
    fn drop(&mut self) {
        let deadline = Instant::now() + LAST_WORDS;
        let mut state = self.0.lock();
        while state.is_busy || !state.waiting.is_empty() {
            let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else {
                warn!(webhook = %self.0.whom, "the run ends before all alerts were posted");
                return;
            };
            state = self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Posts for as long as the process lives.
    fn serve(&self, post: &Post, longest: Duration) {
        let mut patience = Patience::aside(self.whom.clone(), longest);
        loop {
            let mut state = self.lock();
            let body = loop {
                match state.waiting.pop() {
                    Some(body) => break body,
                    None => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                }
            };
            state.is_busy = true;
            drop(state);
            let attempt = |_| {
                let answer = post.post(&body);
                events::alert_posted(&self.whom, answer.is_ok());
                answer
            };
            if let Err(refused) = patience.until_answered("post an alert", attempt) {
                error!(rule = %body.rule, key = %body.key, state = body.state, "{refused:#}");
            }
            let mut state = self.lock();
            state.is_busy = false;
            state.has_told_of_loss = state.has_told_of_loss && !state.waiting.is_empty();
            drop(state);
            self.changed.notify_all();
        }
    }
}

/// Who posts, and where.
struct Post {
    client: Client,
    runtime: Runtime,
    url: String,
}

impl Post {
    fn post(&self, body: &Body) -> std::result::Result<(), Failure> {
        let request = self.client.post(&self.url).header("content-type", "application/json");
        let request = request.header("request-id", body.request_id()).body(body.json());
        // Not the error's own text: it has the address, and that a token.
        let passing = |error: reqwest::Error| Failure::Passing(chain(&error.without_url()));
        let status = self.runtime.block_on(async { request.send().await }).map_err(passing)?.status();
        let is_busy = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
        match status {
            status if status.is_success() => Ok(()),
            status if status.is_server_error() || is_busy => Err(Failure::Passing(format!("it answers {status}"))),
            status => {
                Err(Failure::Final(format!("it answers {status}"), "this alert is not posted; check the address"))
            }
        }
    }
}

/// What of an address may be shown.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_all_that_is_shown() {
        assert_eq!(host("https://user:hunter2@example.org:8443/hooks/hunter2?x"), "example.org:8443");
        assert_eq!(host("http://127.0.0.1"), "127.0.0.1");
    }
}
