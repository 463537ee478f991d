//! What the client library calls back: deliveries, and what went wrong.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::ProducerContext;

use crate::sources::kafka::brokers::Brokers;

/// What became of one producer's messages. It is called on the producer's own thread.
#[derive(Default)]
pub struct Context {
    /// Whether its library knows brokers.
    pub brokers: Brokers,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Messages delivered or failed.
    settled: u64,
    /// Somebody waits until so many are.
    awaited: u64,
    /// Numbers of those that failed, and why.
    failed: Vec<(u64, KafkaError)>,
    /// What was last said to be wrong.
    trouble: Option<String>,
}

impl Context {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Messages delivered or failed so far.
    pub fn settled(&self) -> u64 {
        self.state().settled
    }

    /// Waits until so many messages have settled, or a time has passed; says how many have.
    pub fn wait(&self, settled: u64, most: Duration) -> u64 {
        let mut state = self.state();
        state.awaited = settled;
        let waited = self.changed.wait_timeout_while(state, most, |state| state.settled < settled);
        waited.unwrap_or_else(PoisonError::into_inner).0.settled
    }

    /// Those that failed since this was last asked.
    pub fn take_failed(&self) -> Vec<(u64, KafkaError)> {
        std::mem::take(&mut self.state().failed)
    }

    /// What was last said to be wrong, since this was last asked.
    pub fn take_trouble(&self) -> Option<String> {
        self.state().trouble.take()
    }
}

impl ClientContext for Context {
    /// What matters comes by `error` or with a message; lost connections the consumer tells of.
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}

    fn stats_raw(&self, statistics: &[u8]) {
        self.brokers.hear(statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string());
        self.state().trouble = Some(format!("{code}: {reason}"));
    }
}

impl ProducerContext for Context {
    /// The message's number.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let mut state = self.state();
        state.settled += 1;
        if let Err((error, _)) = result {
            state.failed.push((number as u64, error.clone()));
        }
        if state.settled >= state.awaited {
            self.changed.notify_all();
        }
    }
}
