//! The topic of sensors: where a traveller was when a sensor saw it.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::value::{Finite, Id, Text};
use crate::time::Instant;

/// `movement`: one reading of a sensor. Its names are snake case.
#[derive(Debug, Deserialize)]
pub struct Movement<'a> {
    /// Who was seen.
    #[serde(borrow)]
    pub traveler_id: Id<'a>,
    /// What kind of traveller.
    pub traveler_type: Text<'a>,
    /// The sensor.
    pub sensor_id: i64,
    /// x and y, m; exactly two numbers.
    pub position: (Finite, Finite),
    /// When.
    #[serde(deserialize_with = "lenient_instant")]
    pub timestamp: Instant,
}

/// Reads an RFC 3339 time, or one without a zone, which is UTC then.
fn lenient_instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
    struct Lenient;
    impl Visitor<'_> for Lenient {
        type Value = Instant;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an RFC 3339 time or a naive ISO time")
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<Instant, E> {
            Instant::parse(text).or_else(|error| naive(text).ok_or(error)).map_err(E::custom)
        }
    }
    deserializer.deserialize_str(Lenient)
}

/// A date and a time of day, in UTC. A date alone is no time.
fn naive(text: &str) -> Option<Instant> {
    if !text.as_bytes().get(10).is_some_and(|byte| matches!(byte, b'T' | b't' | b' ')) {
        return None;
    }
    let time: DateTime = text.parse().ok()?;
    let nanos = time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_nanosecond();
    let sub_ns = u32::try_from(nanos.rem_euclid(1_000_000)).ok()?;
    Some(Instant { ms: i64::try_from(nanos.div_euclid(1_000_000)).ok()?, sub_ns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_without_a_zone_are_utc() {
        let midnight = Instant::from_ms(1_641_168_000_000);
        assert_eq!(naive("2022-01-03T00:00:00"), Some(midnight));
        assert_eq!(naive("2022-01-03 00:00:00.000"), Some(midnight));
        assert_eq!(naive("2022-01-03T00:00:00.25").map(|at| at.ms), Some(midnight.ms + 250));
        for wrong in ["2022-01-03", "2022-01-03T25:00:00", "00:00:00", "", "2022-01-03Tnoon"] {
            assert_eq!(naive(wrong), None, "{wrong}");
        }
    }
}
