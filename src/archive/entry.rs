//! An entry of the manifest: what an object holds, for whoever looks for it.

use serde::Serialize;

use super::range::Range;

/// An entry, as JSON says it. hexflow itself needs no more than its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The object's name below the archive's prefix.
    pub object: String,
    /// Topic name, without a prefix.
    pub topic: &'static str,
    /// Partition number.
    pub partition: u32,
    /// The lowest offset.
    pub first_offset: u64,
    /// The highest offset.
    pub last_offset: u64,
    /// The number of messages.
    pub records: u64,
    /// The object's length, packed.
    pub bytes: u64,
    /// XXH3 of its bytes, 128 bits in hexadecimal digits.
    pub xxh3: String,
    /// The earliest of the messages' times, ms since the epoch.
    pub min_ts: i64,
    /// The latest of them.
    pub max_ts: i64,
}

impl Entry {
    /// That of an object of so many messages and bytes.
    pub fn new(range: &Range, records: u64, bytes: usize, (min_ts, max_ts): (i64, i64)) -> Self {
        Entry {
            object: range.object_name(),
            topic: range.topic.name(),
            partition: range.partition,
            first_offset: range.first,
            last_offset: range.last,
            records,
            bytes: bytes as u64,
            xxh3: format!("{:032x}", range.hash),
            min_ts,
            max_ts,
        }
    }
}
