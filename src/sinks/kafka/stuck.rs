//! Tells people when brokers acknowledge nothing for a while, and when they do again.

use std::time::{Duration, Instant};

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
                eprintln!("hexflow: kafka: messages are acknowledged again after {:.0?}", self.since.elapsed());
            }
            (self.since, self.settled) = (Instant::now(), settled);
        } else if self.since.elapsed() > TELL_AFTER && self.told.is_none_or(|told| told.elapsed() > TELL_EVERY) {
            let why = context.take_trouble().map(|why| format!(": {why}")).unwrap_or_default();
            eprintln!(
                "hexflow: kafka: {} messages wait for their acknowledgement, nothing is lost ({:.0?} so far){why}",
                given - settled,
                self.since.elapsed()
            );
            self.told = Some(Instant::now());
        }
    }
}
