//! Instants as messages write them (RFC 3339, any precision to ns) and as rows keep them.

use std::fmt;

use jiff::Timestamp;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// A point in time, UTC: the milliseconds that tables store, and what is finer, which only decides which version is newer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub ms: i64,
    /// Nanoseconds beyond `ms`, 0..1,000,000.
    pub sub_ns: u32,
}

impl Instant {
    /// The instant `ms` milliseconds after the epoch.
    pub fn from_ms(ms: i64) -> Self {
        Instant { ms, sub_ns: 0 }
    }

    /// Reads an RFC 3339 time; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(instant) = Instant::parse_plain(text.as_bytes()) {
            return Ok(instant);
        }
        let time: Timestamp = text.parse().map_err(|error| format!("{text:?} is not an RFC 3339 time: {error}"))?;
        let (ms, sub_ns) = (time.as_nanosecond().div_euclid(1_000_000), time.as_nanosecond().rem_euclid(1_000_000));
        Ok(Instant {
            ms: i64::try_from(ms).expect("jiff's years fit"),
            sub_ns: u32::try_from(sub_ns).expect("below a million"),
        })
    }
}

/// The form that nearly every producer writes, read without a general parser (instants are a sixth of a message).
impl Instant {
    /// Reads `2022-01-03T00:00:00Z` with up to nine decimals; `None` at anything else, right or wrong.
    #[inline]
    pub fn parse_plain(text: &[u8]) -> Option<Instant> {
        let (head, tail) = text.split_first_chunk::<19>()?;
        let (year, month, day) = (number(&head[0..4])?, number(&head[5..7])?, number(&head[8..10])?);
        let (hour, minute, second) = (number(&head[11..13])?, number(&head[14..16])?, number(&head[17..19])?);
        let separators = [head[4], head[7], head[10], head[13], head[16]] == *b"--T::";
        // The library's range ends within the year 9999: it decides there.
        if !separators || year == 9999 || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let nanos = match tail {
            b"Z" => 0,
            [b'.', decimals @ .., b'Z'] if (1..=9).contains(&decimals.len()) => {
                number(decimals)? * 10i64.pow(9 - u32::try_from(decimals.len()).ok()?)
            }
            _ => return None,
        };
        let seconds = days_from_civil(year, month, day)? * 86_400 + hour * 3_600 + minute * 60 + second;
        Some(Instant { ms: seconds * 1_000 + nanos / 1_000_000, sub_ns: u32::try_from(nanos % 1_000_000).ok()? })
    }
}

/// A number of digits only.
#[inline]
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, &b| b.is_ascii_digit().then(|| value * 10 + i64::from(b - b'0')))
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a proleptic Gregorian date, if there is that date; years begin in March, so that the leap day is
/// a year's last.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

/// RFC 3339 with as many decimals as the instant has, so that equal instants read equal.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = i128::from(self.ms) * 1_000_000 + i128::from(self.sub_ns);
        Timestamp::from_nanosecond(nanos).map_err(|_| fmt::Error)?.fmt(f)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rfc3339;
        impl Visitor<'_> for Rfc3339 {
            type Value = Instant;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Instant, E> {
                Instant::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Rfc3339)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The plain reader must agree with the library wherever it answers at all.
    #[test]
    fn plain_times_agree_with_jiff() {
        let days = [
            "0001-01-01",
            "1969-12-31",
            "1970-01-01",
            "2000-02-29",
            "2022-01-03",
            "2024-12-31",
            "2100-02-28",
            "9998-12-31",
        ];
        let clocks = ["00:00:00", "12:34:56.7", "23:59:59.999", "01:02:03.000001", "04:05:06.123456789"];
        for text in days.iter().flat_map(|day| clocks.map(|clock| format!("{day}T{clock}Z"))) {
            let plain = Instant::parse_plain(text.as_bytes()).expect("plain");
            let jiff: Timestamp = text.parse().unwrap();
            assert_eq!(i128::from(plain.ms) * 1_000_000 + i128::from(plain.sub_ns), jiff.as_nanosecond(), "{text}");
            assert_eq!(Instant::parse(&plain.to_string()), Ok(plain), "{text}");
        }
    }

    #[test]
    fn other_forms_go_the_long_way() {
        assert_eq!(Instant::parse("2022-01-03T01:00:00+01:00"), Ok(Instant::from_ms(1_641_168_000_000)));
        for wrong in [
            "",
            "yesterday",
            "2022-02-30T00:00:00Z",
            "2022-13-01T00:00:00Z",
            "2022-01-03T24:00:00Z",
            "2022-01-03T00:00:00",
        ] {
            assert!(Instant::parse(wrong).unwrap_err().contains("RFC 3339"), "{wrong}");
        }
    }
}
