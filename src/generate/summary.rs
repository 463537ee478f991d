//! What was made, in a line.

use std::fmt;

use hexflow_dataflows::time::Instant;

use super::envelope::Cause;

/// The words that a pipeline's summary is told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// Of its topics' records.
    pub(super) topics: &'static [&'static str],
    /// Of the causes that it knows beside fresh ones.
    pub(super) causes: &'static [(Cause, &'static str)],
}

/// What a run wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    words: Words,
    /// Of each topic: how many records of each cause.
    pub(super) records: Vec<[u64; Cause::COUNT]>,
    /// The lines' size before compression.
    pub bytes: u64,
    /// The first instant that a record tells of, ms since the epoch; none when nothing was written.
    pub first_ms: Option<i64>,
    /// The last one.
    pub last_ms: i64,
}

impl Summary {
    /// Of nothing yet.
    pub(super) fn new(words: Words) -> Self {
        let records = vec![[0; Cause::COUNT]; words.topics.len()];
        Summary { words, records, bytes: 0, first_ms: None, last_ms: i64::MIN }
    }

    /// Counts a record that tells of an instant.
    pub(super) fn count(&mut self, topic: usize, cause: Cause, at_ms: i64) {
        self.records[topic][cause as usize] += 1;
        self.first_ms = Some(self.first_ms.map_or(at_ms, |first_ms| first_ms.min(at_ms)));
        self.last_ms = self.last_ms.max(at_ms);
    }

    /// All records of each topic.
    pub fn by_topic(&self) -> Vec<u64> {
        self.records.iter().map(|causes| causes.iter().sum()).collect()
    }

    /// All records of a cause.
    pub(super) fn of_cause(&self, cause: Cause) -> u64 {
        self.records.iter().map(|causes| causes[cause as usize]).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.by_topic();
        write!(f, "{} records", counts.iter().sum::<u64>())?;
        for (n, (count, name)) in counts.iter().zip(self.words.topics).enumerate() {
            write!(f, "{} {count} of {name}", if n == 0 { ":" } else { "," })?;
        }
        for (n, (cause, name)) in self.words.causes.iter().enumerate() {
            write!(f, "{}{} {name}", if n == 0 { " (of them " } else { ", " }, self.of_cause(*cause))?;
        }
        write!(f, "); {} bytes", self.bytes)?;
        match self.first_ms {
            Some(first) => {
                write!(f, "; event time {} to {}", Instant::from_ms(first), Instant::from_ms(self.last_ms))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::log::WORDS;

    #[test]
    fn one_line_tells_all() {
        let mut summary = Summary { bytes: 1200, ..Summary::new(WORDS) };
        summary.count(2, Cause::Fresh, 61_500);
        summary.count(0, Cause::Fresh, 0);
        assert_eq!(summary.by_topic(), [1, 0, 1]);
        summary.records = vec![[2, 0, 0, 0, 0, 0], [10, 1, 0, 0, 3, 0], [20, 2, 1, 4, 0, 0]];
        assert_eq!(
            summary.to_string(),
            "43 records: 2 of tracks, 14 of frames, 27 of detections (of them 3 duplicates, 1 stale, 4 malformed, \
             3 orphans); 1200 bytes; event time 1970-01-01T00:00:00Z to 1970-01-01T00:01:01.5Z"
        );
    }
}
