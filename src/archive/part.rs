//! Messages of one partition and hour that become one object, packed as they come.

use anyhow::{Context, Result};
use hexflow_dataflows::messages::topic::Topic;
use xxhash_rust::xxh3::xxh3_128;

use super::entry::Entry;
use super::hour::Hour;
use super::range::Range;
use crate::objects::store::Object;

/// Bytes of lines that are packed together: a frame of its own, so that nothing but these bytes lies unpacked between two
/// messages. One frame after another is one stream.
const FRAME_BYTES: usize = 256 << 10;

/// As `zstd` packs unless it is told otherwise.
const LEVEL: i32 = 3;

/// What is gathered for an object.
#[derive(Debug)]
pub struct Part {
    first: u64,
    last: u64,
    records: u64,
    times: (i64, i64),
    lines: Vec<u8>,
    packed: Vec<u8>,
}

/// An object that will change no more, and its entry.
#[derive(Debug)]
pub struct Sealed {
    /// What it holds.
    pub range: Range,
    /// The object.
    pub object: Object,
    /// Its entry in the manifest.
    pub entry: Object,
    /// The number of its messages.
    pub records: u64,
}

impl Part {
    /// An empty one, whose first message has `offset` and `ts`.
    pub fn new(offset: u64, ts: i64) -> Self {
        Part { first: offset, last: offset, records: 0, times: (ts, ts), lines: Vec::new(), packed: Vec::new() }
    }

    /// Appends a message, whose line `write` appends.
    pub fn push(&mut self, offset: u64, ts: i64, write: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        (self.first, self.last) = (self.first.min(offset), self.last.max(offset));
        self.times = (self.times.0.min(ts), self.times.1.max(ts));
        self.records += 1;
        write(&mut self.lines);
        if self.lines.len() >= FRAME_BYTES { self.pack() } else { Ok(()) }
    }

    fn pack(&mut self) -> Result<()> {
        let frame = zstd::bulk::compress(&self.lines, LEVEL).context("cannot pack messages")?;
        self.packed.extend_from_slice(&frame);
        self.lines.clear();
        Ok(())
    }

    /// The bytes that it keeps in memory.
    pub fn held(&self) -> usize {
        self.lines.len() + self.packed.len()
    }

    /// The object, and its entry.
    pub fn seal(mut self, topic: Topic, partition: u32, hour: Hour) -> Result<Sealed> {
        self.pack()?;
        let Part { first, last, records, times, packed, .. } = self;
        let range = Range { topic, partition, first, last, hour, hash: xxh3_128(&packed) };
        let entry = Entry::new(&range, records, packed.len(), times);
        let entry = serde_json::to_vec(&entry).context("cannot write an entry")?;
        Ok(Sealed { range, object: (range.object_name(), packed), entry: (range.entry_name(), entry), records })
    }
}
