//! The topics' logs: gives each record its partition and offset, and writes it as a line.

use anyhow::Result;
use hexflow_dataflows::messages::topic::{Topic, partition_of};

use super::args::OutputArgs;
use super::file::{self, Sink};
use super::id::{self, Kind, push_hex};
use super::random::mix;
use crate::dump::write::{Outgoing, write_line};

/// What surrounds a payload, as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    /// Which of the logs' topics.
    pub(super) topic: usize,
    /// When it arrives, ms since the epoch; never goes back.
    pub(super) ts_ms: i64,
    /// The record's key.
    pub(super) key: &'a str,
    /// The message-type header.
    pub(super) message_type: &'a str,
    /// The tenant.
    pub(super) org_id: &'static str,
    /// Bits of the request id.
    pub(super) request: u64,
    /// Whether it says so.
    pub(super) has_request_id: bool,
}

impl Head<'_> {
    /// Whether the sender traced it: one request of eight.
    fn is_traced(&self) -> bool {
        self.request.is_multiple_of(8)
    }
}

/// The logs of some topics.
pub(super) struct Topics {
    topics: &'static [Topic],
    /// One for each topic, or one for all.
    sinks: Vec<Sink>,
    /// The next offset of each partition of each topic.
    offsets: Vec<Vec<u64>>,
    request_id: String,
    traceparent: String,
}

impl Topics {
    /// Opens the files.
    pub(super) fn create(args: &OutputArgs, topics: &'static [Topic]) -> Result<Topics> {
        Ok(Topics {
            topics,
            sinks: file::create(args, topics)?,
            offsets: topics.iter().map(|topic| vec![0; topic.partitions() as usize]).collect(),
            request_id: String::new(),
            traceparent: String::new(),
        })
    }

    /// Appends a record.
    pub(super) fn append(&mut self, head: &Head<'_>, payload: Option<&str>) -> Result<()> {
        self.write_texts(head);
        let mut headers = [("", None); 5];
        let mut count = 0;
        let mut header = |name, value| {
            headers[count] = (name, Some(value));
            count += 1;
        };
        header("message-type", head.message_type);
        if head.has_request_id {
            header("request-id", &self.request_id);
        }
        header("org-id", head.org_id);
        header("env", "prod");
        if head.is_traced() {
            header("traceparent", &self.traceparent);
        }
        let topic = self.topics[head.topic];
        let partition = partition_of(head.key, topic.partitions());
        let next = &mut self.offsets[head.topic][partition as usize];
        let record = Outgoing {
            topic: topic.name(),
            partition,
            offset: *next,
            ts: head.ts_ms,
            headers: &headers[..count],
            key: Some(head.key),
            payload,
        };
        *next += 1;
        let sink = head.topic % self.sinks.len();
        write_line(self.sinks[sink].buffer(), &record);
        self.sinks[sink].write_if_full()
    }

    fn write_texts(&mut self, head: &Head<'_>) {
        id::write(&mut self.request_id, Kind::Request, head.request);
        if head.is_traced() {
            let bits = mix(head.request);
            self.traceparent.clear();
            self.traceparent.push_str("00-");
            push_hex(&mut self.traceparent, bits);
            push_hex(&mut self.traceparent, mix(bits));
            self.traceparent.push('-');
            push_hex(&mut self.traceparent, mix(bits ^ 1));
            self.traceparent.push_str("-01");
        }
    }

    /// Puts the files in their places, and one `beside` them; returns how many bytes of lines the topics' hold.
    pub(super) fn finish(self, beside: Option<Sink>) -> Result<u64> {
        file::finish(self.sinks, beside)
    }
}
