//! Hours of UTC, by which the archive is divided.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// ms of an hour.
const HOUR_MS: i64 = 3_600_000;

/// The first and the last hour that dates of four digits and the library know: what says to be earlier or later lies there.
const BOUNDS: (i64, i64) = (-17_268_672, 70_389_502);

/// An hour, counted from 1970-01-01T00 UTC. It is typed as `2026-11-21T13`, or as a day, which is its first hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(i64);

impl Hour {
    /// The hour that `ms` since the epoch lies in.
    pub fn of_ms(ms: i64) -> Self {
        Hour(ms.div_euclid(HOUR_MS).clamp(BOUNDS.0, BOUNDS.1))
    }

    fn civil(self) -> DateTime {
        let time = Timestamp::from_second(self.0 * 3_600).unwrap_or_default();
        TimeZone::UTC.to_datetime(time)
    }

    /// Its day, as `2026-11-21`.
    pub fn day(self) -> String {
        self.civil().date().to_string()
    }

    /// Its number in the day, two digits.
    pub fn hour_of_day(self) -> String {
        format!("{:02}", self.civil().hour())
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{}", self.day(), self.hour_of_day())
    }
}

impl FromStr for Hour {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (day, hour) = text.split_once('T').unwrap_or((text, "00"));
            let hour = Some(hour).filter(|hour| hour.len() == 2 && hour.bytes().all(|byte| byte.is_ascii_digit()))?;
            let time = day.parse::<Date>().ok()?.at(hour.parse().ok().filter(|hour| *hour < 24)?, 0, 0, 0);
            Some(Hour::of_ms(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond()))
        };
        read().ok_or_else(|| "expected a day such as 2026-11-21, or an hour of it such as 2026-11-21T13".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_shown_as_they_are_typed() {
        for text in ["1970-01-01T00", "1969-12-31T23", "2026-11-21T13", "0000-01-01T00", "9999-12-30T22"] {
            assert_eq!(text.parse::<Hour>().map(|hour| hour.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("2026-11-21".parse::<Hour>(), "2026-11-21T00".parse());
        for wrong in ["", "2026-11-21T", "2026-11-21T24", "2026-11-21T1", "2026-13-01", "now", "2026-11-21T13:00"] {
            assert!(wrong.parse::<Hour>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn any_time_has_an_hour() {
        assert_eq!(Hour::of_ms(-1).to_string(), "1969-12-31T23");
        assert_eq!(Hour::of_ms(3_600_000).to_string(), "1970-01-01T01");
        assert_eq!(Hour::of_ms(i64::MAX), Hour::of_ms(i64::MAX - 1));
        assert_eq!(Hour::of_ms(i64::MIN).to_string(), "0000-01-01T00");
        assert_eq!(Hour::of_ms(i64::MAX).day().len(), 10);
    }
}
