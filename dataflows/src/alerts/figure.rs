//! The figures of windows that rules look at, and how those of several keys make one.

use std::fmt;
use std::str::FromStr;

use crate::cameras::counts::Count;
use crate::pipelines::Pipeline;
use crate::sensors::windows::Window;

/// A figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    /// Mean speed, m/s.
    AvgSpeed,
    /// Highest speed, m/s.
    MaxSpeed,
    /// Lowest speed, m/s.
    MinSpeed,
    /// Speed samples.
    Samples,
    /// Travellers, each once; those of several keys cannot be told apart.
    Travelers,
    /// Detections.
    Detections,
    /// Detections a second.
    Rate,
}

/// What one row says of a figure; rows that say nothing have none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// The figure itself; of a rate the count.
    pub value: f64,
    /// How much it counts among others: samples of a mean. Of a rate the seconds.
    pub weight: f64,
}

impl Figure {
    /// All of them.
    pub const ALL: [Figure; 7] = [
        Figure::AvgSpeed,
        Figure::MaxSpeed,
        Figure::MinSpeed,
        Figure::Samples,
        Figure::Travelers,
        Figure::Detections,
        Figure::Rate,
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Figure::AvgSpeed => "sensors.avg_speed",
            Figure::MaxSpeed => "sensors.max_speed",
            Figure::MinSpeed => "sensors.min_speed",
            Figure::Samples => "sensors.samples",
            Figure::Travelers => "sensors.travelers",
            Figure::Detections => "cameras.detections",
            Figure::Rate => "cameras.rate",
        }
    }

    /// Whose windows have it.
    pub fn pipeline(self) -> Pipeline {
        match self {
            Figure::Detections | Figure::Rate => Pipeline::Cameras,
            _ => Pipeline::Sensors,
        }
    }

    /// What a row of `sensor_windows` says of it.
    pub fn of_sensors(self, row: &Window) -> Option<Part> {
        let samples = number(row.samples);
        let part = |value| Part { value, weight: samples };
        match self {
            Figure::AvgSpeed => row.avg_speed.map(part),
            Figure::MaxSpeed => row.max_speed.map(part),
            Figure::MinSpeed => row.min_speed.map(part),
            Figure::Samples => Some(part(samples)),
            Figure::Travelers => Some(part(number(row.travelers))),
            Figure::Detections | Figure::Rate => None,
        }
        .filter(|part| part.value > 0.0 || !self.is_count())
    }

    /// What a row of `camera_windows` says of it.
    pub fn of_cameras(self, row: Count) -> Option<Part> {
        let seconds = number(row.window_ms.unsigned_abs()) / 1_000.0;
        (self.pipeline() == Pipeline::Cameras).then(|| Part { value: number(row.detections), weight: seconds })
    }

    /// Whether nothing is zero, rather than unknown.
    pub fn is_count(self) -> bool {
        !matches!(self, Figure::AvgSpeed | Figure::MaxSpeed | Figure::MinSpeed)
    }

    /// The figure of all rows together; it does not depend on their order.
    pub fn value(self, parts: &[Part]) -> Option<f64> {
        let values = || parts.iter().map(|part| part.value);
        match self {
            Figure::MaxSpeed => values().reduce(f64::max),
            Figure::MinSpeed => values().reduce(f64::min),
            // Counts are whole, so that their sum is exact.
            Figure::Samples | Figure::Travelers | Figure::Detections => Some(sum(values())),
            Figure::Rate => Some(parts.first().map_or(0.0, |part| sum(values()) / part.weight)),
            Figure::AvgSpeed => match parts {
                [] => None,
                [only] => Some(only.value),
                several => Some(mean(several)),
            },
        }
    }
}

/// The sum, which of nothing is zero: a float's own is below it.
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |sum, value| sum + value)
}

/// The mean by weight.
fn mean(parts: &[Part]) -> f64 {
    let mut products: Vec<f64> = parts.iter().map(|part| part.value * part.weight).collect();
    products.sort_unstable_by(f64::total_cmp); // a sum of floats has an order
    sum(products.into_iter()) / sum(parts.iter().map(|part| part.weight))
}

#[expect(clippy::cast_precision_loss, reason = "counts of a window are far below 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}

impl FromStr for Figure {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Figure::ALL.into_iter().find(|figure| figure.name() == name).ok_or(())
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
