//! The logs of the citylens topics: from a message's envelope to what surrounds it in its topic.

use anyhow::Result;
use hexflow_dataflows::messages::topic::Topic;

use super::args::OutputArgs;
use super::envelope::{Cause, Envelope, Flaw};
use super::id::{self, Kind};
use super::summary::{Summary, Words};
use super::topics::{Head, Topics};

/// The topics that are written.
pub(super) const TOPICS: [Topic; 3] = [Topic::CitylensTracks, Topic::CitylensFrames, Topic::CitylensDetections];

/// What is told of them.
pub(super) const WORDS: Words = Words {
    topics: &["tracks", "frames", "detections"],
    causes: &[
        (Cause::Duplicate, "duplicates"),
        (Cause::Stale, "stale"),
        (Cause::Malformed, "malformed"),
        (Cause::Orphan, "orphans"),
    ],
};

/// The logs of the three topics.
pub(super) struct Log {
    topics: Topics,
    key: String,
    summary: Summary,
}

impl Log {
    /// Opens the files.
    pub(super) fn create(args: &OutputArgs) -> Result<Log> {
        Ok(Log { topics: Topics::create(args, &TOPICS)?, key: String::new(), summary: Summary::new(WORDS) })
    }

    /// Appends a record that arrives at `ts_ms`, which never goes back.
    pub(super) fn append(&mut self, ts_ms: i64, envelope: &Envelope, payload: Option<&str>) -> Result<()> {
        id::write(&mut self.key, Kind::Track, envelope.track);
        let topic = envelope.topic as usize;
        self.summary.count(topic, envelope.cause, ts_ms);
        let head = Head {
            topic,
            ts_ms,
            key: &self.key,
            message_type: envelope.message_type(),
            org_id: envelope.org_id,
            request: envelope.request,
            has_request_id: envelope.flaw != Some(Flaw::NoRequestId),
        };
        self.topics.append(&head, payload)
    }

    /// Puts the files in their places.
    pub(super) fn finish(mut self) -> Result<Summary> {
        self.summary.bytes = self.topics.finish(None)?;
        Ok(self.summary)
    }
}
