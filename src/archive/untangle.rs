//! Objects of one partition whose offsets overlap, in the order of offsets.
//!
//! They overlap where messages of one hour came between those of another, or where two members of the group archived the same.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};

use anyhow::{Context, Result, anyhow};

use super::range::Range;
use crate::sources::dump::envelope;

/// The level of packing: what is made is read once.
const LEVEL: i32 = 1;

/// The lines of objects that are still to come.
struct Lines<'a> {
    name: String,
    lines: Box<dyn BufRead + 'a>,
    number: u64,
}

impl Lines<'_> {
    /// The next line and its offset.
    fn next(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        let mut line = Vec::new();
        self.number += 1;
        self.lines.read_until(b'\n', &mut line).with_context(|| format!("{} cannot be unpacked", self.name))?;
        if line.is_empty() {
            return Ok(None);
        }
        let head = envelope::head(line.trim_ascii_end())
            .map_err(|error| anyhow!("{}:{}: not a line of a dump: {error}", self.name, self.number))?;
        Ok(Some((head.0.offset, line)))
    }
}

/// Appends the lines of `objects` to `out`, packed, in the order of their offsets; equal lines once.
pub fn untangle(objects: &[(Range, Vec<u8>)], out: &mut impl Write) -> Result<()> {
    let mut packed = zstd::stream::write::Encoder::new(out, LEVEL)?;
    let mut open = Vec::new();
    let mut next = BTreeMap::new();
    for (at, (range, bytes)) in objects.iter().enumerate() {
        let unpacked = BufReader::new(zstd::stream::read::Decoder::new(bytes.as_slice())?);
        let mut lines = Lines { name: range.object_name(), lines: Box::new(unpacked), number: 0 };
        if let Some((offset, line)) = lines.next()? {
            next.insert((offset, at), line);
        }
        open.push(lines);
    }
    let mut last: (u64, Vec<Vec<u8>>) = (0, Vec::new());
    while let Some(((offset, at), line)) = next.pop_first() {
        if let Some((offset, line)) = open[at].next()? {
            next.insert((offset, at), line);
        }
        if last.0 != offset {
            last = (offset, Vec::new());
        }
        if !last.1.contains(&line) {
            packed.write_all(&line)?;
            last.1.push(line);
        }
    }
    packed.finish()?;
    Ok(())
}
