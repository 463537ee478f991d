//! What was made, in a line.

use std::fmt;

use hexflow_dataflows::time::Instant;

use super::envelope::Cause;

/// What a run wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Of tracks, frames and detections: how many records of each cause.
    pub(super) records: [[u64; Cause::COUNT]; 3],
    /// The lines' size before compression.
    pub bytes: u64,
    /// Of the first record, ms since the epoch; none when nothing was written.
    pub first_ms: Option<i64>,
    /// Of the last record, ms since the epoch.
    pub last_ms: i64,
}

impl Summary {
    /// All records on the topics of tracks, frames and detections.
    pub fn by_topic(&self) -> [u64; 3] {
        self.records.map(|causes| causes.iter().sum())
    }

    fn of_cause(&self, cause: Cause) -> u64 {
        self.records.iter().map(|causes| causes[cause as usize]).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [tracks, frames, detections] = self.by_topic();
        write!(f, "{} records: {tracks} of tracks, {frames} of frames, ", tracks + frames + detections)?;
        write!(f, "{detections} of detections")?;
        let causes = [
            (Cause::Duplicate, "duplicates"),
            (Cause::Stale, "stale"),
            (Cause::Malformed, "malformed"),
            (Cause::Orphan, "orphans"),
        ];
        for (n, (cause, name)) in causes.into_iter().enumerate() {
            write!(f, "{}{} {name}", if n == 0 { " (of them " } else { ", " }, self.of_cause(cause))?;
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

    #[test]
    fn one_line_tells_all() {
        let mut summary = Summary { bytes: 1200, first_ms: Some(0), last_ms: 61_500, ..Summary::default() };
        summary.records = [[2, 0, 0, 0, 0], [10, 1, 0, 0, 3], [20, 2, 1, 4, 0]];
        assert_eq!(
            summary.to_string(),
            "43 records: 2 of tracks, 14 of frames, 27 of detections (of them 3 duplicates, 1 stale, 4 malformed, \
             3 orphans); 1200 bytes; event time 1970-01-01T00:00:00Z to 1970-01-01T00:01:01.5Z"
        );
    }
}
