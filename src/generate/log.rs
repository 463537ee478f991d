//! The topics' logs: gives each record its partition and offset, and writes it as a line.

use anyhow::Result;
use hexflow_dataflows::messages::topic::{Topic, partition_of};

use super::GenerateArgs;
use super::envelope::{Cause, Envelope, Flaw};
use super::file::{self, Sink};
use super::id::{self, Kind, push_hex};
use super::random::mix;
use super::summary::Summary;
use crate::dump::write::{Outgoing, write_line};

/// The topics that are written.
pub(super) const TOPICS: [Topic; 3] = [Topic::CitylensTracks, Topic::CitylensFrames, Topic::CitylensDetections];
const PARTITIONS: usize = 24;

/// The logs of the three topics.
pub(super) struct Log {
    /// One for each topic, or one for all.
    sinks: Vec<Sink>,
    /// The next offset of each partition.
    offsets: [[u64; PARTITIONS]; TOPICS.len()],
    key: String,
    request_id: String,
    traceparent: String,
    summary: Summary,
}

impl Log {
    /// Opens the files.
    pub(super) fn create(args: &GenerateArgs) -> Result<Log> {
        Ok(Log {
            sinks: file::create(args, &TOPICS)?,
            offsets: [[0; PARTITIONS]; TOPICS.len()],
            key: String::new(),
            request_id: String::new(),
            traceparent: String::new(),
            summary: Summary::default(),
        })
    }

    /// Appends a record that arrives at `ts_ms`, which never goes back.
    pub(super) fn append(&mut self, ts_ms: i64, envelope: &Envelope, payload: Option<&str>) -> Result<()> {
        self.write_texts(envelope);
        let mut headers = [("", None); 5];
        let mut count = 0;
        let mut header = |name, value| {
            headers[count] = (name, Some(value));
            count += 1;
        };
        header("message-type", envelope.message_type());
        if envelope.flaw != Some(Flaw::NoRequestId) {
            header("request-id", &self.request_id);
        }
        header("org-id", envelope.org_id);
        header("env", "prod");
        if envelope.is_traced() {
            header("traceparent", &self.traceparent);
        }
        let topic = envelope.topic as usize;
        let partition = partition_of(&self.key, PARTITIONS as u32);
        let next = &mut self.offsets[topic][partition as usize];
        let record = Outgoing {
            topic: envelope.topic.name(),
            partition,
            offset: *next,
            ts: ts_ms,
            headers: &headers[..count],
            key: Some(&self.key),
            payload,
        };
        *next += 1;
        self.summary.count(topic, envelope.cause, ts_ms);
        let sink = topic % self.sinks.len();
        write_line(self.sinks[sink].buffer(), &record);
        self.sinks[sink].write_if_full()
    }

    fn write_texts(&mut self, envelope: &Envelope) {
        id::write(&mut self.key, Kind::Track, envelope.track);
        id::write(&mut self.request_id, Kind::Request, envelope.request);
        if envelope.is_traced() {
            let bits = mix(envelope.request);
            self.traceparent.clear();
            self.traceparent.push_str("00-");
            push_hex(&mut self.traceparent, bits);
            push_hex(&mut self.traceparent, mix(bits));
            self.traceparent.push('-');
            push_hex(&mut self.traceparent, mix(bits ^ 1));
            self.traceparent.push_str("-01");
        }
    }

    /// Puts the files in their places.
    pub(super) fn finish(mut self) -> Result<Summary> {
        self.summary.bytes = file::finish(self.sinks)?;
        Ok(self.summary)
    }
}

impl Summary {
    fn count(&mut self, topic: usize, cause: Cause, ts_ms: i64) {
        self.records[topic][cause as usize] += 1;
        self.first_ms.get_or_insert(ts_ms);
        self.last_ms = ts_ms;
    }
}
