//! Tells people when brokers acknowledge nothing for a while, and when they do again.

use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::context::Context;

/// How long nothing may be acknowledged before that is told, and how often it is told again.
const TELL_AFTER: Duration = Duration::from_secs(10);
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Whether acknowledgements have ceased, and who has been told.
pub struct Stuck {
    since: Instant,
    settled: u64,
    told: Option<Instant>,
}

impl Stuck {
    /// `settled` messages have settled so far.
    pub fn new(settled: u64) -> Self {
        Stuck { since: Instant::now(), settled, told: None }
    }

    /// Since when none has.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// Tells people if none has for long, `given` being how many there are, and when they do again.
    pub fn look(&mut self, settled: u64, given: u64, context: &Context) {
        if settled != self.settled {
            if self.told.take().is_some() {
                info!(seconds = self.since.elapsed().as_secs(), "Kafka acknowledges messages again");
            }
            (self.since, self.settled) = (Instant::now(), settled);
        } else if self.since.elapsed() > TELL_AFTER && self.told.is_none_or(|told| told.elapsed() > TELL_EVERY) {
            let why = context.take_trouble().map(|why| format!(": {why}")).unwrap_or_default();
            let (messages, seconds) = (given - settled, self.since.elapsed().as_secs());
            warn!(messages, seconds, "messages wait for Kafka's acknowledgement, nothing is lost{why}");
            self.told = Some(Instant::now());
        }
    }
}
