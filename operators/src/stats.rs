//! Count, sum, least and greatest of numbers, the same in whatever order they come and go.
//!
//! A sum of doubles depends on their order, and taking one away again leaves an error behind. So the sum is kept in
//! multiples of 2^-60: addition is exact, and windows are equal on any number of workers, to the last bit. A number counts as
//! the nearest such multiple within 0..=2^36, so a mean is off by less than 10^-18.

/// Multiples in one.
const SCALE: f64 = (1u64 << 60) as f64;

/// The greatest number that is told apart from greater ones: 2^36.
pub const GREATEST: f64 = (1u64 << 36) as f64;

/// Of some numbers, none of them below zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stats {
    /// How many.
    pub count: u64,
    sum: i128,
    /// The least; infinite if there are none.
    least: f64,
    /// The greatest; negative if there are none.
    greatest: f64,
}

impl Default for Stats {
    fn default() -> Self {
        Stats { count: 0, sum: 0, least: f64::INFINITY, greatest: -1.0 }
    }
}

/// A number as all here count it: within 0..=[`GREATEST`].
pub fn counted(value: f64) -> f64 {
    if value >= 0.0 { value.min(GREATEST) + 0.0 } else { 0.0 }
}

impl Stats {
    /// Adds a number.
    pub fn add(&mut self, value: f64) {
        let value = counted(value);
        self.count += 1;
        self.sum += scaled(value);
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
    }

    /// Takes a number away that was added. False if it was the least or the greatest: then those are to be found anew, by
    /// [`Stats::add`] of all to nothing.
    #[must_use]
    pub fn remove(&mut self, value: f64) -> bool {
        let value = counted(value);
        self.count = self.count.saturating_sub(1);
        self.sum -= scaled(value);
        value > self.least && value < self.greatest
    }

    /// Adds what others are of.
    pub fn merge(&mut self, other: &Stats) {
        self.count += other.count;
        self.sum += other.sum;
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
    }

    /// Adds `count` numbers of that sum, of which these are the least and the greatest.
    pub(crate) fn merge_parts(&mut self, count: u64, sum: i128, least: f64, greatest: f64) {
        self.merge(&Stats { count, sum, least, greatest });
    }

    /// The least, if there are any.
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.least)
    }

    /// The greatest, if there are any.
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.greatest)
    }

    /// The mean, if there are any.
    pub fn mean(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "rounded once, as any result is")]
        (self.count > 0).then(|| self.sum as f64 / SCALE / self.count as f64)
    }
}

/// A counted number in multiples of 2^-60; below 2^96.
#[expect(clippy::cast_possible_truncation, reason = "within range, and rounding is meant")]
pub(crate) fn scaled(value: f64) -> i128 {
    (value * SCALE) as i128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_what_is_gone_leave_no_trace() {
        let numbers = [0.1, 1e9, 0.2, 3.3, 1e-9, 7.0];
        let (mut there, mut back) = (Stats::default(), Stats::default());
        numbers.iter().for_each(|n| there.add(*n));
        numbers.iter().rev().for_each(|n| back.add(*n));
        assert_eq!(there, back);
        let mut fewer = Stats::default();
        [0.1, 0.2, 3.3].iter().for_each(|n| fewer.add(*n));
        assert!(!there.remove(1e9) && !there.remove(1e-9) && there.remove(7.0));
        assert_eq!((there.count, there.mean()), (fewer.count, fewer.mean()));
        assert!((fewer.mean().unwrap_or_default() - 1.2).abs() < 1e-15);
    }

    #[test]
    fn any_double_counts_as_something() {
        let mut stats = Stats::default();
        [f64::NAN, f64::INFINITY, -1.0, -0.0, f64::MAX].iter().for_each(|n| stats.add(*n));
        assert_eq!((stats.min(), stats.max(), stats.count), (Some(0.0), Some(GREATEST), 5));
        assert_eq!(Stats::default().mean(), None);
    }
}
