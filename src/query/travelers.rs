//! How many different travellers each window saw, of several sensors or types: one who was seen at two of them counts once,
//! so this is no sum of windows.
//!
//! ```text
//!   travelers(k)  =  | { traveler : some visit [entered, left] of it touches window k } |
//! ```
//!
//! A visit touches a window as it does where windows are made: [`Slides::touching`]. Cost: one pass over the visits that touch
//! the span, sorted by traveller; memory for the windows alone.

use std::ops::Range;

use hexflow_operators::slides::Slides;

/// Counts in the making.
pub struct Travelers {
    slides: Slides,
    first: i64,
    /// How many more each window counts than the one before it; one more for what is behind the last.
    steps: Vec<i64>,
    /// Whose visits are being read.
    current: Option<String>,
    /// Behind the last window that counts them already.
    counted_to: i64,
}

impl Travelers {
    /// For some of the windows of `slides`.
    pub fn new(slides: Slides, windows: Range<i64>) -> Self {
        let count = usize::try_from(windows.end - windows.start).unwrap_or(0);
        Travelers { slides, first: windows.start, steps: vec![0; count + 1], current: None, counted_to: windows.start }
    }

    /// Counts a visit. A traveller's visits come one after the other, by when they were entered.
    pub fn add(&mut self, traveler_id: &str, entered_ms: i64, left_ms: i64) {
        if self.current.as_deref() != Some(traveler_id) {
            self.current = Some(traveler_id.to_owned());
            self.counted_to = self.first;
        }
        let touched = self.slides.touching(entered_ms, left_ms);
        let end = self.first.saturating_add_unsigned(self.steps.len() as u64 - 1);
        let (start, end) = (touched.start.max(self.counted_to), touched.end.min(end));
        if start < end {
            self.steps[(start - self.first) as usize] += 1;
            self.steps[(end - self.first) as usize] -= 1;
            self.counted_to = end;
        }
    }

    /// The counts, window by window.
    pub fn counts(self) -> impl Iterator<Item = i64> {
        let windows = self.steps.len() - 1;
        let count = |count: &mut i64, step: i64| {
            *count += step;
            Some(*count)
        };
        self.steps.into_iter().take(windows).scan(0, count)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// All kinds of overlap and order of ends, against sets; windows that leave gaps between them, too.
    #[test]
    fn counts_are_of_different_travelers() {
        for (window_ms, step_ms, windows) in [(10, 5, -3..9), (10, 30, 0..5), (1, 1, -40..40), (7, 3, 2..3)] {
            let slides = Slides::new(window_ms, step_ms).expect("positive");
            let visit = |n: i64| (format!("t{}", n / 4), n * 37 % 61 - 30, n * 37 % 61 - 30 + n * 11 % 23);
            let mut visits: Vec<_> = (0..40).map(visit).collect();
            visits.sort();
            let mut travelers = Travelers::new(slides, windows.clone());
            visits.iter().for_each(|(who, entered, left)| travelers.add(who, *entered, *left));
            let touches = |k: i64, entered: i64, left: i64| entered < k * step_ms && k * step_ms - window_ms <= left;
            let expected = windows.map(|k| {
                let seen = visits.iter().filter(|(_, entered, left)| touches(k, *entered, *left));
                seen.map(|(who, ..)| who).collect::<BTreeSet<_>>().len() as i64
            });
            assert_eq!(travelers.counts().collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        }
    }
}
