//! Times: RFC 3339 at fixed positions, and any other way of writing them by the library.

/// A time, ns since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time(pub(super) i64);

impl Time {
    /// ms since the epoch, as is stored.
    pub(super) fn ms(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// A time in whatever form of RFC 3339.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let ns = text.parse::<jiff::Timestamp>().ok()?.as_nanosecond();
        i64::try_from(ns).ok().map(Time)
    }
}

/// Reads times; remembers the minute that it read last, since records come in the order of their times.
#[derive(Default)]
pub(super) struct Clock {
    minute: [u8; 16],
    minute_ns: i64,
}

impl Clock {
    /// A time as text.
    #[inline]
    pub(super) fn read(&mut self, text: &[u8]) -> Option<Time> {
        self.usual(text).or_else(|| Time::parse(std::str::from_utf8(text).ok()?))
    }

    /// The time in `2026-01-01T00:00:00Z`, with up to nine decimals.
    #[inline]
    fn usual(&mut self, text: &[u8]) -> Option<Time> {
        let (minute, rest) = text.split_first_chunk::<16>()?;
        let (seconds, rest) = rest.split_first_chunk::<3>()?;
        if *minute != self.minute {
            (self.minute, self.minute_ns) = (*minute, minute_ns(minute)?);
        }
        let second = digits(&seconds[1..])?;
        let nanos = match *rest {
            [b'Z'] => 0,
            [b'.', a, b, c, b'Z'] => digits(&[a, b, c])? * 1_000_000,
            [b'.', ref decimals @ .., b'Z'] if (1..=9).contains(&decimals.len()) => {
                digits(decimals)? * 10i64.pow(9 - u32::try_from(decimals.len()).ok()?)
            }
            _ => return None,
        };
        (seconds[0] == b':' && second < 60).then_some(Time(self.minute_ns + second * 1_000_000_000 + nanos))
    }
}

#[inline]
fn digits(from: &[u8]) -> Option<i64> {
    from.iter().try_fold(0, |value, b| b.is_ascii_digit().then(|| value * 10 + i64::from(b - b'0')))
}

/// The time of `2026-01-01T00:00`; none in a month's last days, whose number is the library's to know.
fn minute_ns(text: &[u8; 16]) -> Option<i64> {
    let (year, month, day) = (digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..10])?);
    let (hour, minute) = (digits(&text[11..13])?, digits(&text[14..])?);
    let known = [text[4], text[7], text[10], text[13]] == *b"--T:";
    let usual = (1970..2200).contains(&year) && (1..=12).contains(&month) && (1..=28).contains(&day);
    if !known || !usual || hour > 23 || minute > 59 {
        return None;
    }
    // Years that begin in March end with the leap day.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    Some(((days * 24 + hour) * 60 + minute) * 60_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_library() {
        let mut clock = Clock::default();
        for year in [1969, 1970, 1999, 2000, 2024, 2026, 2100, 2199, 2200] {
            for month in 1..=12 {
                for day in 1..=31 {
                    for end in
                        ["T00:00:00Z", "T23:59:59.999Z", "T12:34:56.7Z", "T01:02:03.123456789Z", "T01:02:03+02:00"]
                    {
                        let text = format!("{year}-{month:02}-{day:02}{end}");
                        assert_eq!(clock.read(text.as_bytes()), Time::parse(&text), "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        let mut clock = Clock::default();
        let not = [
            "",
            "2026-01-01",
            "2026-01-01T24:00:01Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:60:00Z",
        ];
        let nor = ["2026-01-01T00:00:0xZ", "2026-01-01T00:00:00.Z", "2026-01-01T00:00x00Z", "2026-01-01T00:00:00.12xZ"];
        for text in not.into_iter().chain(nor) {
            assert_eq!(clock.read(b"2026-01-01T00:00:00Z"), Some(Time(1_767_225_600_000_000_000)));
            assert_eq!(clock.read(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_time_is_stored_in_ms_towards_the_past() {
        assert_eq!(Time(-1).ms(), -1);
        assert_eq!(Time(1_999_999).ms(), 1);
    }
}
