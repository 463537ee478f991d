//! A record as any source hands it over: a topic's bytes and where they stood, borrowed.

use std::borrow::Cow;

/// Headers: names and values, in order.
pub type Headers<'a> = [(Cow<'a, str>, Option<Cow<'a, str>>)];

/// One record of a topic.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Topic name.
    pub topic: &'a str,
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
    pub payload: Option<&'a str>,
}

impl<'a> Record<'a> {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(header, _)| header == name).and_then(|(_, value)| value.as_deref())
    }
}

/// A container of records, as a source emits them.
pub trait Records: timely::Container {
    /// Whether its records were read before, and come again because what they waited for is there.
    fn again(&self) -> bool;
    /// Calls `each` with every record, in order.
    fn for_each(&self, each: &mut dyn FnMut(&Record<'_>));
}
