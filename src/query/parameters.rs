//! What a question's parameters may be written as, and what they must keep to.

use std::time::Duration;

use hexflow_dataflows::time::Instant;
use jiff::Timestamp;

use super::Problem;
use super::problem::MAX_ROWS;
use crate::config;

/// A stretch of time, ms since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub from_ms: i64,
    /// Its end.
    pub to_ms: i64,
}

impl Span {
    /// From one time to a later one.
    pub fn new(from_ms: i64, to_ms: i64) -> Result<Self, Problem> {
        if from_ms < to_ms {
            return Ok(Span { from_ms, to_ms });
        }
        Err(Problem::Parameter("to", format!("{} is not after from, {}", shown(to_ms), shown(from_ms))))
    }

    /// Refuses a beginning or an end that is no multiple of `unit_ms`, which `what` names.
    pub fn aligned(&self, unit_ms: i64, what: &str) -> Result<(), Problem> {
        for (name, at_ms) in [("from", self.from_ms), ("to", self.to_ms)] {
            if at_ms.rem_euclid(unit_ms) != 0 {
                let before_ms = at_ms - at_ms.rem_euclid(unit_ms);
                let why = format!(
                    "{} is no multiple of {what}, {unit_ms} ms; the nearest are {} and {}",
                    shown(at_ms),
                    shown(before_ms),
                    shown(before_ms.saturating_add(unit_ms))
                );
                return Err(Problem::Parameter(name, why));
            }
        }
        Ok(())
    }
}

/// Reads a time: RFC 3339, or ms since the epoch.
pub fn time(text: &str) -> Result<i64, String> {
    let ms = match text.parse::<i64>() {
        Ok(ms) => ms,
        Err(_) => {
            let instant = Instant::parse(text).map_err(|why| format!("{why}; nor is it milliseconds since 1970"))?;
            if instant.sub_ns != 0 {
                return Err(format!("{text:?} is finer than a millisecond"));
            }
            instant.ms
        }
    };
    Timestamp::from_millisecond(ms).map(|_| ms).map_err(|_| format!("{ms} ms lies outside of the years -9999 to 9999"))
}

/// Reads a step: a duration, in ms.
pub fn step(text: &str) -> Result<i64, String> {
    let ms = config::parse_duration(text).and_then(|step| i64::try_from(step.as_millis()).ok());
    ms.ok_or_else(|| format!("{text:?} is no duration; expected one such as 30s, 1h 30m or 7d"))
}

/// Reads a whole number.
pub fn number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("{text:?} is no whole number of 64 bits"))
}

/// Reads how many items are wanted.
pub fn count(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..=MAX_ROWS).contains(count));
    count.ok_or_else(|| format!("{text:?} is no whole number from 1 to {MAX_ROWS}"))
}

/// The step that was asked for, which must be a multiple of `unit_ms`; without one the unit itself. `key` sets the unit.
pub fn multiple(step_ms: Option<i64>, unit_ms: i64, key: &str) -> Result<i64, Problem> {
    match step_ms {
        None => Ok(unit_ms),
        Some(step_ms) if step_ms > 0 && step_ms % unit_ms == 0 => Ok(step_ms),
        Some(step_ms) => {
            let why = format!("{step_ms} ms is no multiple of {key}, {unit_ms} ms");
            Err(Problem::Parameter("step", why))
        }
    }
}

/// A duration in ms.
pub fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A time as people read it.
pub fn shown(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).map_or_else(|_| at_ms.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_or_ms() {
        for (text, ms) in [
            ("2022-01-03T00:00:00Z", 1_641_168_000_000),
            ("2022-01-03T01:00:00.25+01:00", 1_641_168_000_250),
            ("1641168000001", 1_641_168_000_001),
            ("-5", -5),
        ] {
            assert_eq!(time(text), Ok(ms), "{text}");
        }
        for text in ["", "yesterday", "2022-01-03", "2022-01-03T00:00:00.0001Z", "9223372036854775807", "1e3"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_multiple_is_refused_by_name() {
        let span = Span::new(-10, 25).expect("in order");
        assert!(span.aligned(5, "it").is_ok());
        let Err(Problem::Parameter("to", why)) = span.aligned(10, "cameras.window") else { panic!("25 is none") };
        assert!(why.contains("cameras.window") && why.contains("00.02Z") && why.contains("00.03Z"), "{why}");
        assert!(matches!(Span::new(7, 7), Err(Problem::Parameter("to", _))));
        assert!(matches!(multiple(Some(30), 10, "slide"), Ok(30)) && matches!(multiple(None, 10, "slide"), Ok(10)));
        for step in [0, -10, 5, 15] {
            assert!(matches!(multiple(Some(step), 10, "slide"), Err(Problem::Parameter("step", _))), "{step}");
        }
    }
}
