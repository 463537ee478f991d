//! Lines on their way to the worker that reads their partition: the container that the source emits.

use std::sync::Arc;

use hexflow_dataflows::record::{Record, Records};

use super::envelope::{self, Envelope, Head};
use super::lines::{Block, Span};
use super::plain::Plain;
use super::problems::Problems;

/// A line in one of a slice's blocks.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Index of the block in [`Slice::blocks`].
    pub block: u32,
    /// Where the line lies in it.
    pub span: Span,
    /// Its number in its dump, from 1.
    pub number: u64,
}

/// The lines of one epoch that are for one worker, in order; the blocks are shared with the other workers.
#[derive(Clone, Default)]
pub struct Slice {
    /// The blocks that the lines lie in.
    pub blocks: Vec<Arc<Block>>,
    /// The lines.
    pub lines: Vec<Line>,
    /// Whether they were read before: see [`Records::again`].
    pub again: bool,
    /// Where lines that are no envelopes are reported.
    pub problems: Arc<Problems>,
}

impl timely::Accountable for Slice {
    fn record_count(&self) -> i64 {
        i64::try_from(self.lines.len()).expect("fewer lines than memory has bytes")
    }
}

impl Records for Slice {
    fn again(&self) -> bool {
        self.again
    }

    fn for_each(&self, each: &mut dyn FnMut(&Record<'_>)) {
        let mut plain = Plain::default();
        for line in &self.lines {
            let block = &self.blocks[line.block as usize];
            let bytes = block.line(line.span);
            if let Some(read) = std::str::from_utf8(bytes).ok().and_then(|text| plain.read(text)) {
                let payload = if read.has_payload { plain.payload() } else { None };
                let Head { partition, offset, ts, .. } = read.head;
                let (topic, headers, key) = (read.topic, &plain.headers[..], read.key);
                each(&Record { topic, partition, offset, ts, headers, key, payload });
                continue;
            }
            match envelope::whole(bytes) {
                Ok(envelope) => each(&record(&envelope)),
                Err(error) if !self.again => self.problems.report(not_an_envelope(&block.dump, line.number, &error)),
                Err(_) => {}
            }
        }
    }
}

fn record<'a>(envelope: &'a Envelope<'a>) -> Record<'a> {
    Record {
        topic: &envelope.topic.0,
        partition: envelope.partition,
        offset: envelope.offset,
        ts: envelope.ts,
        headers: &envelope.headers.0,
        key: envelope.key.as_ref().map(|key| &*key.0),
        payload: envelope.payload.as_ref().map(|payload| &*payload.0),
    }
}

/// Says which line is no envelope, and what to do.
pub fn not_an_envelope(dump: &str, number: u64, error: &str) -> String {
    format!("{dump}:{number}: not a record as `kcat -J` writes it: {error}; mend or remove the line and replay again")
}
