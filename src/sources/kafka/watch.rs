//! Whether the brokers are there: one line when they are lost, one when they are back, and no line more often than each minute.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::{info, warn};

use crate::telemetry::waiting;

/// How often the same is said at most.
const PERIOD: Duration = Duration::from_secs(60);

/// Different texts that are remembered.
const KEPT: usize = 64;

/// What was said, and whether the brokers are there; cheap to clone.
#[derive(Clone, Default)]
pub struct Watch(Arc<Mutex<Said>>);

#[derive(Default)]
struct Said {
    /// While the brokers are away.
    away: Option<waiting::Token>,
    /// Whether that was told, and when it was last.
    is_told: bool,
    told: Option<Instant>,
    when: BTreeMap<String, Instant>,
}

impl Watch {
    /// A connection is lost: the library makes it again by itself.
    pub fn lost(&self, reason: &str) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.away.get_or_insert_with(|| waiting::begin("the brokers of Kafka", true));
        // Brokers that have just come back may go once more while they settle.
        if !said.is_told && said.told.is_none_or(|told| told.elapsed() > PERIOD) {
            (said.is_told, said.told) = (true, Some(Instant::now()));
            warn!(%reason, "lost the brokers of Kafka, trying again");
        }
    }

    /// The brokers have answered.
    pub fn found(&self) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.away = None;
        if std::mem::take(&mut said.is_told) {
            info!("the brokers of Kafka are there");
        }
    }

    /// Says something, unless it was said within the last minute.
    pub fn say(&self, text: &str) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        said.when.retain(|_, when| now.duration_since(*when) < PERIOD);
        if said.when.len() < KEPT && said.when.insert(text.to_owned(), now).is_none() {
            warn!("kafka: {text}");
        }
    }
}
