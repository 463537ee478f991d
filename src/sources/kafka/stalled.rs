//! Tells people of partitions that stand still: once they have for a second, then once a minute, and when they go on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hexflow_dataflows::decode::Stall;

use super::names::Names;
use crate::api;
use crate::control::store::Standing;
use crate::control::watch::{now_ms, whoami};
use crate::telemetry::{events, labels, metrics};

/// A partition that waits for a track in flight is no news.
const GRACE: Duration = Duration::from_secs(1);

/// How often a standing partition is told of again.
const PERIOD: Duration = Duration::from_secs(60);

/// The partitions that stand still.
pub struct Stalled {
    names: Names,
    stalls: BTreeMap<(u32, u64), Told>,
}

struct Told {
    stall: Stall,
    since: Instant,
    since_ms: i64,
    when: Option<Instant>,
}

impl Stalled {
    /// None stand still.
    pub fn new(names: Names) -> Self {
        Stalled { names, stalls: BTreeMap::new() }
    }

    /// These stand still.
    pub fn set(&mut self, stalls: Vec<Stall>) {
        let mut old = std::mem::take(&mut self.stalls);
        for stall in stalls {
            let key = (stall.stream, stall.offset);
            let told = old.remove(&key).unwrap_or_else(|| Told {
                stall,
                since: Instant::now(),
                since_ms: now_ms(),
                when: None,
            });
            self.stalls.insert(key, told);
        }
        self.show();
        for told in old.into_values().filter(|told| told.when.is_some()) {
            let (topic, partition) = self.names.place(told.stall.stream);
            events::goes_on(topic, partition, told.stall.offset);
        }
    }

    /// Those of them whose partition is this process's.
    pub fn standing(&self, is_ours: impl Fn(u32) -> bool) -> Vec<Stall> {
        self.stalls.values().map(|told| &told.stall).filter(|stall| is_ours(stall.stream)).cloned().collect()
    }

    /// Tells of those whose time it is, if their partition is this process's.
    pub fn tell(&mut self, is_ours: impl Fn(u32) -> bool) {
        let now = Instant::now();
        let due = |told: &Told| match told.when {
            None => now.duration_since(told.since) > GRACE,
            Some(when) => now.duration_since(when) > PERIOD,
        };
        let due: Vec<_> = self.stalls.iter().filter(|(_, told)| due(told)).map(|(key, _)| *key).collect();
        for key in due.into_iter().filter(|(stream, _)| is_ours(*stream)) {
            let Some(told) = self.stalls.get_mut(&key) else { continue };
            told.when = Some(now);
            let Stall { stream, offset, reason, head } = told.stall.clone();
            let (topic, partition) = self.names.place(stream);
            events::stands_still(topic, partition, offset, &reason, &head);
        }
    }

    /// For the API and the metrics: all that stand still.
    fn show(&self) {
        let by = whoami();
        metrics().stalled.clear();
        let standing = self.stalls.values().map(|told| {
            let Stall { stream, offset, reason, head } = told.stall.clone();
            let (topic, partition) = self.names.place(stream);
            let (topic, since, by) = (topic.to_owned(), told.since_ms, by.clone());
            let label = labels::Partition { topic: topic.clone(), partition };
            #[expect(clippy::cast_precision_loss, reason = "a time of today, to the ms")]
            metrics().stalled.get_or_create(&label).set(since as f64 / 1e3);
            Standing { topic, partition, offset, reason, head, since, by }
        });
        api::stalls::set(standing.collect());
        metrics().stalls.set(i64::try_from(self.stalls.len()).unwrap_or(i64::MAX));
    }
}
