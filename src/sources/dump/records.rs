//! Lines on their way to the worker that reads their partition: the container that the source emits.

use std::sync::Arc;

use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::record::{Offer, Payload, Record, Records};

use super::envelope;
use super::lines::Block;
use super::plain::Tail;
use super::problems::Problems;

/// A line in one of a slice's blocks, its head read.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Its topic.
    pub topic: Topic,
    /// Partition number.
    pub partition: u32,
    /// Offset in the partition.
    pub offset: u64,
    /// The record's time in its topic, ms since the epoch.
    pub ts: i64,
    /// Index of the block in [`Slice::blocks`].
    pub block: u32,
    /// Which of the block's lines it is.
    pub index: u32,
    /// Where in the line what follows `ts` begins; 0 if it is to be read as a whole.
    pub rest: u32,
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

    fn for_each(&self, mut offer: impl FnMut(&Record<'_>) -> Offer) {
        let mut headers = Vec::new();
        for line in &self.lines {
            let block = &self.blocks[line.block as usize];
            let bytes = block.line(line.index as usize);
            let Line { topic, partition, offset, ts, rest, .. } = *line;
            let text =
                simdutf8::basic::from_utf8(bytes).ok().and_then(|text| text.get(rest as usize..)).filter(|_| rest > 0);
            if let Some(tail) = text.and_then(|text| Tail::read(text, &mut headers)) {
                let (headers, key, payload) = (&headers[..], tail.key, tail.payload());
                if offer(&Record { topic, partition, offset, ts, headers, key, payload, original: None })
                    == Offer::Taken
                {
                    continue;
                }
            }
            match envelope::whole(bytes) {
                Ok(envelope) => {
                    let headers = envelope.headers.0.iter().map(|(name, value)| (&**name, value.as_deref()));
                    let headers: &[_] = &headers.collect::<Vec<_>>();
                    let key = envelope.key.as_ref().map(|key| &*key.0);
                    let payload = envelope.payload.as_ref().map(|payload| Payload::Text(&payload.0));
                    // As text it is always taken.
                    let _ = offer(&Record { topic, partition, offset, ts, headers, key, payload, original: None });
                }
                Err(error) if !self.again => {
                    self.problems.report(not_an_envelope(&block.dump, block.number(line.index as usize), &error));
                }
                Err(_) => {}
            }
        }
    }
}

/// Says which line is no envelope, and what to do.
pub fn not_an_envelope(dump: &str, number: u64, error: &str) -> String {
    format!("{dump}:{number}: not a record as `kcat -J` writes it: {error}; mend or remove the line and replay again")
}
