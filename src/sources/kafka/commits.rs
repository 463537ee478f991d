//! When what is durable is committed: a few times a second, and at the end.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};

use super::context::Context;
use crate::telemetry::metrics;

/// Time between two commits.
const PERIOD: Duration = Duration::from_millis(200);

/// After so long a commit that was not acknowledged is sent again.
const PATIENCE: Duration = Duration::from_secs(5);

/// The commits of a feeder.
#[derive(Default)]
pub struct Commits {
    /// The last offsets that were sent, and when.
    sent: Option<(Vec<(u32, u64)>, Instant)>,
}

impl Commits {
    /// Commits what is durable, if it is time; that it was acknowledged is heard when the brokers are asked (`lag.rs`).
    pub fn now_and_then(&mut self, consumer: &BaseConsumer<Context>) {
        if self.sent.as_ref().is_some_and(|(_, when)| when.elapsed() < PERIOD) {
            return;
        }
        let context = consumer.context();
        let durable = context.ledger().to_commit(None);
        let known = self.sent.as_ref().is_some_and(|(sent, when)| *sent == durable && when.elapsed() < PATIENCE);
        if durable.is_empty() || known {
            return;
        }
        match consumer.commit(&context.names.offsets(&durable), CommitMode::Async) {
            Ok(()) => drop(metrics().commits.inc()),
            Err(error) => context.watch.say(&format!("cannot commit yet: {error}")),
        }
        self.sent = Some((durable, Instant::now()));
    }
}

/// Commits all that is durable, and waits until that is acknowledged.
///
/// Fails if the brokers do not answer: what was stored stays, and is read once more.
pub fn last(consumer: &BaseConsumer<Context>) -> anyhow::Result<()> {
    let context = consumer.context();
    let durable = context.ledger().to_commit(None);
    if durable.is_empty() {
        return Ok(());
    }
    consumer.commit(&context.names.offsets(&durable), CommitMode::Sync).map_err(|error| {
        anyhow!("cannot commit the last offsets: {error}; what was stored stays, and is read once more")
    })
}
