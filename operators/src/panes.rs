//! Rolling windows of one key: statistics of the values in each, and how many are present, from differences.
//!
//! ```text
//!   pane p    = values within [p * g, (p + 1) * g),  g = gcd(window, slide)
//!   window k  = merge of the panes it is made of,  and the sum of presences that cover it
//! ```
//!
//! Hand-written state: a value changes one pane, and the windows over it are merged once an epoch, window / g panes each. A
//! collection of (window, value) would hold and reduce each value window / slide times.
//! A pane keeps how often it has each value, so that least and greatest are right after a retraction.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

use crate::slides::Slides;
use crate::stats::{Stats, counted, scaled};

/// What a window shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Of the values in it.
    pub values: Stats,
    /// How many were present in it; a window without any is not there.
    pub present: u64,
}

/// The windows of one key.
pub struct Panes {
    slides: Slides,
    panes: BTreeMap<i64, Pane>,
    windows: BTreeMap<i64, Window>,
    changed: Vec<Range<i64>>,
}

#[derive(Default)]
struct Pane {
    count: u64,
    sum: i128,
    /// How often each value is in it, by its bits: these sort as the values do, since none is below zero.
    values: BTreeMap<u64, u64>,
}

#[derive(Default)]
struct Window {
    present: i64,
    told: Option<Figures>,
}

impl Panes {
    /// Without any window yet.
    pub fn new(slides: Slides) -> Self {
        Panes { slides, panes: BTreeMap::new(), windows: BTreeMap::new(), changed: Vec::new() }
    }

    /// A value came (`diff` 1) or went (-1).
    pub fn value(&mut self, at_ms: i64, value: f64, diff: i64) {
        self.touch(self.slides.of(at_ms));
        let pane = self.slides.pane_of(at_ms);
        let value = counted(value);
        if diff > 0 {
            self.panes.entry(pane).or_default().add(value);
        } else if let Some(pane) = self.panes.get_mut(&pane) {
            pane.remove(value);
        }
    }

    /// Somebody is present in these windows (`diff` 1), or no longer (-1).
    pub fn presence(&mut self, windows: Range<i64>, diff: i64) {
        for k in windows.clone() {
            self.windows.entry(k).or_default().present += diff;
        }
        self.touch(windows);
    }

    fn touch(&mut self, windows: Range<i64>) {
        if self.changed.last() != Some(&windows) {
            self.changed.push(windows);
        }
    }

    /// Whether something came since [`Panes::tell`].
    pub fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Tells the windows that show something else than when last told; `None` where a window is no longer there.
    pub fn tell(&mut self, mut tell: impl FnMut(i64, Option<Figures>)) {
        let mut changed: Vec<i64> = self.changed.drain(..).flatten().collect();
        changed.sort_unstable();
        changed.dedup();
        for k in changed {
            let now = self.figures(k);
            let Entry::Occupied(mut window) = self.windows.entry(k) else { continue };
            if window.get().told != now {
                tell(k, now);
            }
            match now {
                Some(_) => window.get_mut().told = now,
                None => drop(window.remove()),
            }
        }
    }

    fn figures(&self, k: i64) -> Option<Figures> {
        let present = u64::try_from(self.windows.get(&k)?.present).ok().filter(|present| *present > 0)?;
        let mut values = Stats::default();
        for pane in self.panes.range(self.slides.panes(k)).map(|(_, pane)| pane) {
            if let (Some((&least, _)), Some((&greatest, _))) =
                (pane.values.first_key_value(), pane.values.last_key_value())
            {
                values.merge_parts(pane.count, pane.sum, f64::from_bits(least), f64::from_bits(greatest));
            }
        }
        Some(Figures { values, present })
    }

    /// Forgets windows that end at or before `end_ms`, and the values that are only in those; says nothing of it.
    pub fn forget(&mut self, end_ms: i64) {
        let first = end_ms.div_euclid(self.slides.slide_ms());
        self.windows = self.windows.split_off(&first.saturating_add(1));
        self.panes = self.panes.split_off(&self.slides.pane_of(end_ms.saturating_sub(self.slides.window_ms())));
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty() && self.panes.is_empty()
    }
}

impl Pane {
    fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum += scaled(value);
        *self.values.entry(value.to_bits()).or_default() += 1;
    }

    fn remove(&mut self, value: f64) {
        if let Entry::Occupied(mut times) = self.values.entry(value.to_bits()) {
            self.count -= 1;
            self.sum -= scaled(value);
            *times.get_mut() -= 1;
            if *times.get() == 0 {
                times.remove();
            }
        }
    }
}
