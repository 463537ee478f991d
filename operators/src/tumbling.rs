//! Counts by key and tumbling window, from differences: state that a hot stream can afford.
//!
//! ```text
//!   count(key, start)  =  sum of the diffs of records with  start <= time < start + window,  start a multiple of window
//! ```
//!
//! Hand-written state: of each key a sorted map from window to count, so that old windows are forgotten from its front. A
//! record costs a probe. What changed is told once an epoch, and only where it differs from what was told before.

use std::collections::BTreeMap;
use std::hash::Hash;

use crate::FixedMap;

/// Counts by key and window.
pub struct Tumbling<K> {
    window_ms: i64,
    counts: FixedMap<K, BTreeMap<i64, Count>>,
    changed: Vec<(K, i64)>,
}

#[derive(Default)]
struct Count {
    now: i64,
    told: i64,
    is_listed: bool,
}

impl<K: Clone + Eq + Hash> Tumbling<K> {
    /// Windows of `window_ms`, at least 1.
    pub fn new(window_ms: i64) -> Self {
        Tumbling { window_ms: window_ms.max(1), counts: FixedMap::default(), changed: Vec::new() }
    }

    /// When the window that holds an instant begins, ms since the epoch.
    pub fn start_ms(&self, at_ms: i64) -> i64 {
        at_ms.div_euclid(self.window_ms).saturating_mul(self.window_ms)
    }

    /// Adds `diff` to the window that begins at `start_ms`.
    pub fn add(&mut self, key: K, start_ms: i64, diff: i64) {
        let count = self.counts.entry(key.clone()).or_default().entry(start_ms).or_default();
        count.now += diff;
        if !std::mem::replace(&mut count.is_listed, true) {
            self.changed.push((key, start_ms));
        }
    }

    /// Tells the counts that differ from what was last told; zero where there is nothing left.
    ///
    /// ```
    /// use hexflow_operators::tumbling::Tumbling;
    ///
    /// let mut counts = Tumbling::new(10_000);
    /// [(3_000, 1), (9_999, 1), (10_000, 1), (10_000, -1)]
    ///     .map(|(at_ms, diff)| counts.add("car", counts.start_ms(at_ms), diff));
    /// counts.tell(|key, start_ms, count| assert_eq!((*key, start_ms, count), ("car", 0, 2)));
    /// ```
    pub fn tell(&mut self, mut tell: impl FnMut(&K, i64, u64)) {
        for (key, start_ms) in self.changed.drain(..) {
            let Some(windows) = self.counts.get_mut(&key) else { continue };
            let Some(count) = windows.get_mut(&start_ms) else { continue };
            count.is_listed = false;
            if std::mem::replace(&mut count.told, count.now) != count.now {
                tell(&key, start_ms, u64::try_from(count.now).unwrap_or(0));
            }
            if count.now == 0 {
                windows.remove(&start_ms);
            }
        }
    }

    /// Hands over all sums that are not zero, and forgets them: to sum an epoch's differences before they are sent on.
    pub fn drain(&mut self, mut tell: impl FnMut(&K, i64, i64)) {
        self.changed.clear();
        for (key, windows) in self.counts.drain() {
            windows
                .into_iter()
                .filter(|(_, count)| count.now != 0)
                .for_each(|(start, count)| tell(&key, start, count.now));
        }
    }

    /// Forgets windows that end at or before `floor_ms`; says nothing of it.
    pub fn forget(&mut self, floor_ms: i64) {
        let first = self.start_ms(floor_ms);
        self.counts.retain(|_, windows| {
            while windows.first_key_value().is_some_and(|(start_ms, _)| *start_ms < first) {
                windows.pop_first();
            }
            !windows.is_empty()
        });
    }
}
