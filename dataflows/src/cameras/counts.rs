//! Detections by location, item and window: rows of `camera_windows`.

use std::sync::Arc;

use hexflow_operators::FixedMap;
use hexflow_operators::tumbling::Tumbling;
use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::sensors::visits::shared;

/// The primary key of `camera_windows`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CountKey {
    /// Where.
    pub geographical_location_oid: i64,
    /// What.
    #[serde(with = "crate::shared_text")]
    pub item_name: Arc<str>,
    /// ms since the epoch.
    pub window_start: i64,
}

/// The other columns of `camera_windows`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Length, ms.
    pub window_ms: i64,
    /// How many; never zero.
    pub detections: u64,
}

/// A change of `camera_windows`.
pub type CountChange = Change<CountKey, Count>;

/// What a worker counted in an epoch, or a store holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Part {
    /// Where.
    pub location: i64,
    /// What.
    pub item: String,
    /// When the window begins, ms since the epoch.
    pub start_ms: i64,
    /// The difference.
    pub diff: i64,
}

/// The counts of a worker's items.
pub struct Counts {
    window_ms: i64,
    items: FixedMap<Arc<str>, ()>,
    counts: Tumbling<(i64, Arc<str>)>,
}

impl Counts {
    /// Windows of `window_ms`.
    pub fn new(window_ms: i64) -> Self {
        Counts { window_ms, items: FixedMap::default(), counts: Tumbling::new(window_ms) }
    }

    /// Takes up what a store holds: nobody is told.
    pub fn restore(&mut self, parts: impl IntoIterator<Item = Part>) {
        parts.into_iter().for_each(|part| self.add(part));
        self.tell(|_| ());
    }

    /// Adds what a worker counted.
    pub fn add(&mut self, Part { location, item, start_ms, diff }: Part) {
        let item = shared(&mut self.items, &item);
        self.counts.add((location, item), start_ms, diff);
    }

    /// Tells each row that changed.
    pub fn tell(&mut self, mut tell: impl FnMut(CountChange)) {
        let window_ms = self.window_ms;
        self.counts.tell(|(geographical_location_oid, item), window_start, detections| {
            let geographical_location_oid = *geographical_location_oid;
            let key = CountKey { geographical_location_oid, item_name: Arc::clone(item), window_start };
            tell(Change { key, row: (detections > 0).then_some(Count { window_ms, detections }) });
        });
    }

    /// Forgets windows that end at or before `floor_ms`.
    pub fn forget(&mut self, floor_ms: i64) {
        self.counts.forget(floor_ms);
        self.items.retain(|text, ()| Arc::strong_count(text) > 1);
    }
}
