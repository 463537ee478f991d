//! Records of one epoch on their way to a worker: their bytes in one block, read in place.

use hexflow_dataflows::headers;
use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::record::{Offer, Payload, Record, Records};

/// A part of a batch's bytes.
type Span = std::ops::Range<usize>;

/// Records for one worker, in the order of each partition.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Whether they were read before: see [`Records::again`].
    pub again: bool,
    bytes: Vec<u8>,
    records: Vec<Entry>,
    /// Of all records, one after the other.
    headers: Vec<(Span, Option<Span>)>,
}

/// Where a record stands, and where in the batch its parts lie.
#[derive(Clone, Debug)]
struct Entry {
    at: At,
    headers: Span,
    key: Option<Span>,
    payload: Option<Span>,
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// Its topic.
    pub topic: Topic,
    /// Partition number.
    pub partition: u32,
    /// Offset in the partition.
    pub offset: u64,
    /// The record's time in its topic, ms since the epoch.
    pub ts: i64,
}

impl Batch {
    /// An empty batch, of records that were read before or of others.
    pub fn new(again: bool) -> Self {
        Batch { again, ..Batch::default() }
    }

    /// Appends a record, copying its bytes.
    pub fn push<'a>(
        &mut self,
        at: At,
        key: Option<&[u8]>,
        payload: Option<&[u8]>,
        headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
    ) {
        let first = self.headers.len();
        for (name, value) in headers {
            let header = (self.keep(name.as_bytes()), value.map(|value| self.keep(value)));
            self.headers.push(header);
        }
        let (key, payload) = (key.map(|key| self.keep(key)), payload.map(|payload| self.keep(payload)));
        self.records.push(Entry { at, headers: first..self.headers.len(), key, payload });
    }

    fn keep(&mut self, bytes: &[u8]) -> Span {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    fn text(&self, span: &Span) -> Option<&str> {
        std::str::from_utf8(&self.bytes[span.clone()]).ok()
    }

    /// Reads the headers into `pairs`; false if one that matters is no text.
    fn read_headers<'a>(&'a self, span: &Span, pairs: &mut Vec<(&'a str, Option<&'a str>)>) -> bool {
        pairs.clear();
        let mut readable = true;
        for (name, value) in &self.headers[span.clone()] {
            let Some(name) = self.text(name) else { continue };
            let text = value.as_ref().and_then(|value| self.text(value));
            readable &= text.is_some() == value.is_some() || !headers::NAMES.contains(&name);
            pairs.push((name, text));
        }
        readable
    }

    fn payload(&self, entry: &Entry, headers_readable: bool) -> Option<Payload<'_>> {
        let span = entry.payload.as_ref()?;
        let bytes = &self.bytes[span.clone()];
        Some(match self.text(span) {
            _ if !headers_readable => Payload::Unreadable(bytes, "a header is not UTF-8 text"),
            Some(text) => Payload::Text(text),
            None => Payload::Unreadable(bytes, "the payload is not UTF-8 text"),
        })
    }
}

impl timely::Accountable for Batch {
    fn record_count(&self) -> i64 {
        i64::try_from(self.records.len()).expect("fewer records than memory has bytes")
    }
}

impl Records for Batch {
    fn again(&self) -> bool {
        self.again
    }

    fn for_each(&self, mut offer: impl FnMut(&Record<'_>) -> Offer) {
        let mut headers = Vec::new();
        for entry in &self.records {
            let readable = self.read_headers(&entry.headers, &mut headers);
            let At { topic, partition, offset, ts } = entry.at;
            let key = entry.key.as_ref().and_then(|key| self.text(key));
            let payload = self.payload(entry, readable);
            // As text it is always taken.
            let _ = offer(&Record { topic, partition, offset, ts, headers: &headers, key, payload });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a batch of one record offers: its payload's first bytes, and what is wrong with it.
    fn offered(payload: Option<&[u8]>, headers: &[(&str, Option<&[u8]>)]) -> (String, Option<&'static str>) {
        let mut batch = Batch::default();
        let at = At { topic: Topic::CitylensFrames, partition: 3, offset: 7, ts: 11 };
        batch.push(at, Some(b"key"), payload, headers.iter().copied());
        let mut seen = None;
        batch.for_each(|record| {
            assert_eq!((record.partition, record.offset, record.ts, record.key), (3, 7, 11, Some("key")));
            let wrong = if let Some(Payload::Unreadable(_, why)) = record.payload { Some(why) } else { None };
            seen = Some((record.head().to_owned(), wrong));
            Offer::Taken
        });
        seen.unwrap()
    }

    #[test]
    fn bytes_that_are_no_text_are_said_to_be_none() {
        assert_eq!(offered(Some(b"{}"), &[("env", Some(b"prod"))]), ("{}".to_owned(), None));
        assert_eq!(offered(None, &[]), (String::new(), None));
        let (head, wrong) = offered(Some(b"{\"a\": \xff}"), &[]);
        assert_eq!((head.as_str(), wrong), ("{\"a\": ", Some("the payload is not UTF-8 text")));
        assert!(offered(Some(b"{}"), &[("org-id", Some(b"\xff"))]).1.is_some());
        assert!(offered(Some(b"{}"), &[("trace-bin", Some(b"\xff")), ("empty", None)]).1.is_none());
    }
}
