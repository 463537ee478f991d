//! A record as any source hands it over: a topic's bytes and where they stood, borrowed.

use crate::messages::topic::Topic;

/// Bytes of a payload that are shown where its record stalls.
pub const HEAD_BYTES: usize = 64;

/// Headers: names and values, in order.
pub type Headers<'a> = [(&'a str, Option<&'a str>)];

/// A record's bytes as they came, where its source has more than the text of them; asked for only when it is set aside.
pub trait Original: std::fmt::Debug {
    /// Names and values.
    fn headers(&self) -> Vec<(String, Option<Vec<u8>>)>;
    /// The record's key.
    fn key(&self) -> Option<&[u8]>;
    /// The record's value.
    fn payload(&self) -> Option<&[u8]>;
}

/// One record of a topic.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The topic.
    pub topic: Topic,
    /// Partition number, below 2^24.
    pub partition: u32,
    /// Offset in the partition.
    pub offset: u64,
    /// The record's time in its topic, ms since the epoch.
    pub ts: i64,
    /// Names and values.
    pub headers: &'a Headers<'a>,
    /// The record's key.
    pub key: Option<&'a str>,
    /// The record's value.
    pub payload: Option<Payload<'a>>,
    /// The bytes of all three; without them the texts above are all there is.
    pub original: Option<&'a dyn Original>,
}

/// A record's value.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// The value.
    Text(&'a str),
    /// The value as a JSON string holds it, between its quotes: a source that has it so offers it so, before it takes the
    /// escapes out. It may turn out to be no string's inside at all.
    Escaped(&'a str),
    /// What came is no record as the contract has it, whatever its value says: the bytes of that, and what is wrong.
    Unreadable(&'a [u8], &'static str),
}

/// What became of a record that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Offer {
    /// It is dealt with.
    Taken,
    /// Not as it is: once more with the payload as text.
    AsText,
}

impl<'a> Record<'a> {
    /// The value of a header, the first of that name.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(header, _)| *header == name).and_then(|&(_, value)| value)
    }

    /// The payload's first bytes as they are, cut between characters.
    pub fn head(&self) -> &'a str {
        match self.payload {
            Some(Payload::Text(text) | Payload::Escaped(text)) => &text[..text.floor_char_boundary(HEAD_BYTES)],
            Some(Payload::Unreadable(bytes, _)) => {
                let head = &bytes[..bytes.len().min(HEAD_BYTES)];
                head.utf8_chunks().next().map_or("", |chunk| chunk.valid())
            }
            None => "",
        }
    }

    /// The payload as text; empty where there is none, or where it is none.
    pub fn text(&self) -> &'a str {
        match self.payload {
            Some(Payload::Text(text)) => text,
            _ => "",
        }
    }
}

/// A container of records, as a source emits them.
pub trait Records: timely::Container {
    /// Whether its records were read before, and come again because what they waited for is there.
    fn again(&self) -> bool;
    /// Offers every record, in order.
    fn for_each(&self, offer: impl FnMut(&Record<'_>) -> Offer);
}
