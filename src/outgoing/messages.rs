//! Messages on their way out, in the order in which they are to be sent: all their bytes in one block.

use std::ops::Range;

/// A part of the block.
type Span = Range<usize>;

/// Messages in order. They are kept as they are until they are acknowledged, so that they can be sent again.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    /// The names of topics that occur: few.
    topics: Vec<String>,
    bytes: Vec<u8>,
    /// Of all messages, one after the other.
    headers: Vec<(Span, Option<Span>)>,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    topic: usize,
    partition: Option<u32>,
    ts: i64,
    headers: Span,
    key: Option<Span>,
    payload: Option<Span>,
}

/// Where a message goes, and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// The topic's name as the brokers have it.
    pub topic: &'a str,
    /// The partition; without one the key decides.
    pub partition: Option<u32>,
    /// Its time, ms since the epoch.
    pub ts: i64,
}

/// Names and values of headers.
pub type Header<'a> = (&'a str, Option<&'a [u8]>);

/// One message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    messages: &'a Messages,
    entry: &'a Entry,
}

impl Messages {
    /// None, with room for so many bytes.
    pub fn with_room(bytes: usize) -> Self {
        Messages { bytes: Vec::with_capacity(bytes), ..Messages::default() }
    }

    /// Appends a message whose payload `write` appends to the block; it says whether there is one at all.
    pub fn push<'h>(
        &mut self,
        to: Address<'_>,
        key: Option<&[u8]>,
        headers: impl IntoIterator<Item = Header<'h>>,
        write: impl FnOnce(&mut Vec<u8>) -> bool,
    ) {
        let first = self.headers.len();
        for (name, value) in headers {
            let header = (self.keep(name.as_bytes()), value.map(|value| self.keep(value)));
            self.headers.push(header);
        }
        let (headers, key) = (first..self.headers.len(), key.map(|key| self.keep(key)));
        let start = self.bytes.len();
        let is_there = write(&mut self.bytes);
        let payload = is_there.then_some(start..self.bytes.len());
        let topic = self.topic(to.topic);
        self.entries.push(Entry { topic, partition: to.partition, ts: to.ts, headers, key, payload });
    }

    fn keep(&mut self, bytes: &[u8]) -> Span {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    fn topic(&mut self, name: &str) -> usize {
        self.topics.iter().position(|topic| topic == name).unwrap_or_else(|| {
            self.topics.push(name.to_owned());
            self.topics.len() - 1
        })
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Message<'_>> {
        self.entries.iter().map(|entry| Message { messages: self, entry })
    }

    /// The number of messages.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<'a> Message<'a> {
    /// Where it goes, and its time.
    pub fn to(&self) -> Address<'a> {
        let Entry { topic, partition, ts, .. } = *self.entry;
        Address { topic: &self.messages.topics[topic], partition, ts }
    }

    /// Its key.
    pub fn key(&self) -> Option<&'a [u8]> {
        self.entry.key.as_ref().map(|key| self.bytes(key))
    }

    /// Its value.
    pub fn payload(&self) -> Option<&'a [u8]> {
        self.entry.payload.as_ref().map(|payload| self.bytes(payload))
    }

    /// Its headers, in order.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = Header<'a>> {
        let this = *self;
        this.messages.headers[this.entry.headers.clone()].iter().map(move |(name, value)| {
            // They were text when they were put in.
            let name = std::str::from_utf8(this.bytes(name)).unwrap_or_default();
            (name, value.as_ref().map(|value| this.bytes(value)))
        })
    }

    fn bytes(&self, span: &Span) -> &'a [u8] {
        &self.messages.bytes[span.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_as_they_went_in() {
        let mut messages = Messages::with_room(10);
        let to = |topic, ts| Address { topic, partition: None, ts };
        let headers: [Header<'_>; 2] = [("a", Some(b"\xff")), ("b", None)];
        messages.push(to("x", 1), Some(b"key"), headers, |bytes| {
            bytes.extend_from_slice(b"payload");
            true
        });
        messages.push(to("y", 2), None, [], |_| false);
        messages.push(to("x", 3), Some(b""), [], |_| true);
        let seen: Vec<_> =
            messages.iter().map(|m| (m.to(), m.key(), m.headers().collect::<Vec<_>>(), m.payload())).collect();
        let expected = [
            (to("x", 1), Some(&b"key"[..]), headers.to_vec(), Some(&b"payload"[..])),
            (to("y", 2), None, vec![], None),
            (to("x", 3), Some(&b""[..]), vec![], Some(&b""[..])),
        ];
        assert_eq!(seen, expected);
    }
}
