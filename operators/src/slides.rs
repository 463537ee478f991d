//! Which windows an instant or a stay lies in: arithmetic on event time, ms since the epoch, that cannot overflow.
//!
//! ```text
//!   window k  = [k * slide - window, k * slide)
//!   instant t   lies in  k  with  t < k * slide <= t + window
//!   stay [a, b] touches  k  with  a < k * slide <= b + window
//! ```
//!
//! With `slide == window` windows tumble: each instant lies in one.

use std::ops::Range;

/// Windows of `window_ms` that end at every multiple of `slide_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slides {
    window_ms: i64,
    slide_ms: i64,
}

impl Slides {
    /// `None` unless both are positive.
    ///
    /// ```
    /// # use hexflow_operators::slides::Slides;
    /// let slides = Slides::new(60_000, 10_000).unwrap();
    /// assert_eq!(slides.of(5_000).map(|k| slides.end_ms(k)).collect::<Vec<_>>(), [10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
    /// assert_eq!(slides.of(10_000).start, 2); // an end is not within
    /// assert!(Slides::new(60_000, 0).is_none());
    /// ```
    pub fn new(window_ms: i64, slide_ms: i64) -> Option<Self> {
        (window_ms > 0 && slide_ms > 0).then_some(Slides { window_ms, slide_ms })
    }

    /// Length of a window, ms.
    pub fn window_ms(&self) -> i64 {
        self.window_ms
    }

    /// From one window's end to the next one's, ms.
    pub fn slide_ms(&self) -> i64 {
        self.slide_ms
    }

    /// The windows that hold an instant.
    pub fn of(&self, at_ms: i64) -> Range<i64> {
        self.touching(at_ms, at_ms)
    }

    /// The windows that a stay from `from_ms` to `to_ms`, both within it, touches.
    pub fn touching(&self, from_ms: i64, to_ms: i64) -> Range<i64> {
        let last_end = to_ms.saturating_add(self.window_ms);
        from_ms.div_euclid(self.slide_ms) + 1..last_end.div_euclid(self.slide_ms) + 1
    }

    /// When window `k` ends, ms since the epoch.
    pub fn end_ms(&self, k: i64) -> i64 {
        k.saturating_mul(self.slide_ms)
    }

    /// When window `k` begins, ms since the epoch.
    pub fn start_ms(&self, k: i64) -> i64 {
        self.end_ms(k).saturating_sub(self.window_ms)
    }

    /// Length of a pane, ms: the longest stretch such that each window is made of whole ones.
    pub fn pane_ms(&self) -> i64 {
        let (mut a, mut b) = (self.window_ms, self.slide_ms);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    }

    /// The pane of an instant.
    pub fn pane_of(&self, at_ms: i64) -> i64 {
        at_ms.div_euclid(self.pane_ms())
    }

    /// The panes that window `k` is made of.
    pub fn panes(&self, k: i64) -> Range<i64> {
        self.pane_of(self.start_ms(k))..self.pane_of(self.end_ms(k))
    }
}
