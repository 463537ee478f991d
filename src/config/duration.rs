//! Durations as people write them: `500ms`, `10s`, `1h 30m`, `7d`.

use std::time::Duration;

use jiff::fmt::friendly::SpanPrinter;
use jiff::{Span, SpanRelativeTo};

use super::field::{Field, quote};

/// The tables keep milliseconds, so nothing finer is accepted.
impl Field for Duration {
    fn set(&mut self, text: &str) -> bool {
        parse(text).map(|duration| *self = duration).is_some()
    }

    fn expected(&self) -> &'static str {
        "a duration such as 500ms, 10s, 1h 30m or 7d"
    }

    fn show(&self) -> String {
        quote(&SpanPrinter::new().unsigned_duration_to_string(self))
    }
}

/// Reads a duration. A day is 24 hours and a week seven days; a month has no length, and nothing is negative.
pub fn parse(text: &str) -> Option<Duration> {
    let span = text.parse::<Span>().ok()?;
    let duration = Duration::try_from(span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?).ok()?;
    duration.subsec_nanos().is_multiple_of(1_000_000).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn human_durations() {
        for (text, ms) in [
            ("500ms", 500),
            ("0s", 0),
            ("10s", 10_000),
            ("1.5s", 1_500),
            ("24h", 86_400_000),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            ("5 minutes", 300_000),
            ("7d", 604_800_000),
            ("1w", 604_800_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn no_durations() {
        for text in
            ["", "10", "-10s", "10s ago", "1mo", "1y", "10us", "1.0005s", "ten seconds", "99999999999999999999h"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn shown_as_read() {
        for ms in [0, 1, 500, 60_000, 5_400_000, 604_800_000] {
            let duration = Duration::from_millis(ms);
            assert_eq!(parse(duration.show().trim_matches('"')), Some(duration));
        }
    }
}
