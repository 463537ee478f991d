//! Where a value is on a picture, and which round values are marked.

/// From values to places, by their sizes or by their logarithms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    from: f64,
    to: f64,
    log: bool,
    start: f64,
    end: f64,
}

impl Axis {
    /// From 0 to the round value at or above `most`, between two places.
    pub(super) fn linear(most: f64, (start, end): (f64, f64)) -> Self {
        let step = step(most);
        Axis { from: 0.0, to: (most / step).ceil().max(1.0) * step, log: false, start, end }
    }

    /// By powers of ten, around all values, which are above 0.
    pub(super) fn log(least: f64, most: f64, (start, end): (f64, f64)) -> Self {
        let (from, to) = (least.log10().floor(), most.log10().ceil());
        Axis { from, to: to.max(from + 1.0), log: true, start, end }
    }

    /// Where `value` is.
    pub(super) fn place(self, value: f64) -> f64 {
        let value = if self.log { value.log10() } else { value };
        self.start + (value - self.from) / (self.to - self.from) * (self.end - self.start)
    }

    /// Round values, from the least.
    pub(super) fn marks(self) -> Vec<f64> {
        let step = if self.log { 1.0 } else { step(self.to) };
        let marks = (0..).map(|n| self.from + step * f64::from(n)).take_while(|mark| *mark <= self.to + step / 1e6);
        marks.map(|mark| if self.log { 10.0_f64.powf(mark) } else { mark }).collect()
    }
}

/// 1, 2 or 5 times a power of ten, four to ten of which reach `most`.
fn step(most: f64) -> f64 {
    if most.is_nan() || most <= 0.0 {
        return 1.0;
    }
    let power = 10.0_f64.powf(most.log10().floor());
    match most / power {
        small if small <= 2.0 => power / 5.0,
        middle if middle <= 5.0 => power / 2.0,
        _ => power,
    }
}

/// A value in few characters: 1.2 M, 35 k, 0.5.
pub(super) fn short(value: f64) -> String {
    let trimmed = |value: f64, digits: usize| {
        let text = format!("{value:.digits$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    };
    match value.abs() {
        millions if millions >= 999_500.0 => trimmed(value / 1e6, 2) + " M",
        thousands if thousands >= 10_000.0 => trimmed(value / 1e3, 0) + " k",
        thousands if thousands >= 1_000.0 => trimmed(value / 1e3, 1) + " k",
        tens if tens >= 10.0 => trimmed(value, 0),
        _ => trimmed(value, 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_reach_around_all_values() {
        assert_eq!(Axis::linear(1.7e6, (0.0, 100.0)).marks().last(), Some(&1.8e6));
        assert_eq!(Axis::linear(23.0, (0.0, 100.0)).marks(), [0.0, 5.0, 10.0, 15.0, 20.0, 25.0]);
        assert_eq!(Axis::log(300.0, 20_000.0, (0.0, 100.0)).marks(), [100.0, 1e3, 1e4, 1e5]);
        assert_eq!(Axis::log(100.0, 100.0, (0.0, 100.0)).marks(), [100.0, 1e3]);
    }

    #[test]
    fn places_are_between_start_and_end() {
        let axis = Axis::linear(25.0, (100.0, 0.0));
        assert_eq!([0.0, 25.0].map(|value| axis.place(value)), [100.0, 0.0]);
        let axis = Axis::log(10.0, 1_000.0, (0.0, 200.0));
        assert!((axis.place(100.0) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn values_are_short() {
        let values = [0.0, 0.25, 12.4, 100.0, 950.0, 1_500.0, 35_400.0, 120_000.0, 999_900.0, 1_234_567.0];
        let texts = values.map(short);
        assert_eq!(texts, ["0", "0.25", "12", "100", "950", "1.5 k", "35 k", "120 k", "1 M", "1.23 M"]);
    }
}
