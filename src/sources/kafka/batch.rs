//! Records of one epoch on their way to a worker: their bytes in one block, read in place.

use hexflow_dataflows::headers;
use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::record::{Offer, Original, Payload, Record, Records};

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

/// One record of a batch, as it came.
#[derive(Debug)]
struct Bytes<'a> {
    batch: &'a Batch,
    entry: &'a Entry,
}

impl Bytes<'_> {
    fn of(&self, span: &Span) -> &[u8] {
        &self.batch.bytes[span.clone()]
    }
}

impl Original for Bytes<'_> {
    fn headers(&self) -> Vec<(String, Option<Vec<u8>>)> {
        let headers = self.batch.headers[self.entry.headers.clone()].iter();
        let text = |name: &Span| String::from_utf8_lossy(self.of(name)).into_owned(); // it came as text
        headers.map(|(name, value)| (text(name), value.as_ref().map(|value| self.of(value).to_vec()))).collect()
    }

    fn key(&self) -> Option<&[u8]> {
        self.entry.key.as_ref().map(|key| self.of(key))
    }

    fn payload(&self) -> Option<&[u8]> {
        self.entry.payload.as_ref().map(|payload| self.of(payload))
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
            let original = Some(&Bytes { batch: self, entry } as &dyn Original);
            let _ = offer(&Record { topic, partition, offset, ts, headers: &headers, key, payload, original });
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

    #[test]
    fn whatever_the_bytes_they_can_be_had_as_they_came() {
        type Headers = [(&'static str, Option<&'static [u8]>); 3];
        let headers: Headers = [("env", Some(b"\xff\0")), ("env", None), ("empty", Some(b""))];
        for (key, payload) in [(Some(&b"\xfe\0"[..]), Some(&b"\0\xff"[..])), (None, None), (Some(b""), Some(b""))] {
            let mut batch = Batch::default();
            let at = At { topic: Topic::CitylensTracks, partition: 1, offset: 2, ts: 3 };
            batch.push(at, Some(b"another"), None, std::iter::empty());
            batch.push(at, key, payload, headers.into_iter());
            let mut last = None;
            batch.for_each(|record| {
                last = record
                    .original
                    .map(|it| (it.headers(), it.key().map(<[u8]>::to_vec), it.payload().map(<[u8]>::to_vec)));
                Offer::Taken
            });
            let expected = headers.map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec))).to_vec();
            assert_eq!(last, Some((expected, key.map(<[u8]>::to_vec), payload.map(<[u8]>::to_vec))));
        }
    }
}
