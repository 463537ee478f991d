//! Merges dumps by time: of the files' next lines the one with the smallest `ts` comes first.
//!
//! Within one partition the offset decides, whatever the times say: when a line's turn comes, what the blocks at hand hold
//! of its partition at lower offsets comes first, in whatever file and place. Of lines with one `ts`, those of tracks come
//! before those of frames and detections. A file is opened an hour before its first line's time, so that thousands of
//! hourly dumps can be merged.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use hexflow_dataflows::rows::stream_of;
use hexflow_operators::FixedMap;

use super::envelope::{self, Head};
use super::files::Dump;
use super::lines::{Block, Lines, Span};
use super::problems::Problems;
use super::records::not_an_envelope;

/// How long before its first line's time a file is opened: times within a partition may run back, and what an unopened
/// file holds is not known.
const OPEN_AHEAD_MS: i64 = 3_600_000;

/// The stream's name of lines that belong to no topic of hexflow's.
const NO_STREAM: u32 = u32::MAX;

/// A line, in merged order.
pub struct Merged {
    /// Its topic, partition, offset and time.
    pub head: Head,
    /// Topic and partition as rows name them; `None` if the topic is none of hexflow's.
    pub stream: Option<u32>,
    /// The block that it lies in.
    pub block: Arc<Block>,
    /// Where it lies.
    pub span: Span,
    /// Its number in its dump.
    pub number: u64,
}

/// The lines of several dumps, merged.
pub struct Merge<'a> {
    problems: &'a Problems,
    read: Arc<AtomicU64>,
    /// Dumps not opened yet, the one whose first line is earliest last.
    closed: Vec<(i64, &'a Dump)>,
    open: Vec<Reader>,
    /// How many open files hold lines of a stream: only where several do, offsets have to be compared.
    holders: FixedMap<u32, usize>,
}

/// An open dump and the lines of its current block.
struct Reader {
    lines: Lines,
    block: Arc<Block>,
    /// The block's lines; those already given out are `None`.
    heads: Vec<Option<(Head, u32, Span, u64)>>,
    /// Index of the first line that was not given out.
    next: usize,
    /// Of each stream, offsets and indexes of the lines not given out, by offset.
    offsets: FixedMap<u32, VecDeque<(u64, usize)>>,
}

impl<'a> Merge<'a> {
    /// Merges `dumps`; what is wrong with them goes to `problems`, packed bytes read are added to `read`.
    pub fn new(dumps: &'a [Dump], problems: &'a Problems, read: Arc<AtomicU64>) -> Self {
        let mut closed: Vec<(i64, &Dump)> = dumps.iter().map(|dump| (first_ts(dump), dump)).collect();
        closed.reverse(); // of equals the first named is opened first
        closed.sort_by_key(|&(ts, _)| std::cmp::Reverse(ts));
        Merge { problems, read, closed, open: Vec::new(), holders: FixedMap::default() }
    }

    fn open_due(&mut self) {
        while let Some(&(ts, dump)) = self.closed.last() {
            let earliest = self.open.iter().filter_map(Reader::head).map(|(head, _)| head.ts).min();
            if earliest.is_some_and(|earliest| earliest.saturating_add(OPEN_AHEAD_MS) < ts) {
                return;
            }
            self.closed.pop();
            match dump.open(Arc::clone(&self.read)) {
                Ok(input) => {
                    let lines = Lines::new(&dump.name, input);
                    let (block, heads, offsets) = Default::default();
                    let mut reader = Reader { lines, block, heads, next: 0, offsets };
                    if reader.fill(self.problems, &mut self.holders) {
                        self.open.push(reader);
                    }
                }
                Err(error) => self.problems.report(format!("{}: cannot be opened: {error}", dump.name)),
            }
        }
    }

    /// Which open file has the next line, and of which stream it is.
    fn choose(&self) -> Option<(usize, u32)> {
        let turn = |at: &usize| self.open[*at].head().map(|(head, _)| (head.ts, head.topic.is_none(), head.topic));
        let first = (0..self.open.len()).min_by_key(turn)?;
        let (_, stream) = self.open[first].head()?;
        if self.holders.get(&stream).is_none_or(|&holders| holders < 2) {
            return Some((first, stream));
        }
        let lowest = |at: &usize| self.open[*at].offsets.get(&stream)?.front().map(|&(offset, _)| offset);
        let holder = (0..self.open.len()).filter(|at| lowest(at).is_some()).min_by_key(lowest)?;
        Some((holder, stream))
    }
}

impl Iterator for Merge<'_> {
    type Item = Merged;

    fn next(&mut self) -> Option<Merged> {
        self.open_due();
        let (chosen, stream) = self.choose()?;
        let reader = &mut self.open[chosen];
        let (_, at) = reader.offsets.get_mut(&stream)?.pop_front()?;
        let (head, stream, span, number) = reader.heads[at].take()?;
        let block = Arc::clone(&reader.block);
        reader.next += reader.heads[reader.next..].iter().take_while(|head| head.is_none()).count();
        if reader.next == reader.heads.len() && !reader.fill(self.problems, &mut self.holders) {
            self.open.remove(chosen);
        }
        Some(Merged { head, stream: (stream != NO_STREAM).then_some(stream), block, span, number })
    }
}

impl Reader {
    /// The first line that was not given out, and its stream.
    fn head(&self) -> Option<(&Head, u32)> {
        self.heads.get(self.next)?.as_ref().map(|(head, stream, ..)| (head, *stream))
    }

    /// Reads the next block that holds a line; `false` if there is none.
    fn fill(&mut self, problems: &Problems, holders: &mut FixedMap<u32, usize>) -> bool {
        for (stream, _) in self.offsets.drain() {
            holders.entry(stream).and_modify(|count| *count -= 1);
        }
        (self.next, self.heads) = (0, Vec::new());
        while self.heads.is_empty() {
            match self.lines.next_block() {
                Ok(Some(block)) => self.block = Arc::new(block),
                Ok(None) => return false,
                Err(error) => {
                    problems.report(error);
                    return false;
                }
            }
            for (number, span) in (self.block.first_line..).zip(self.block.spans()) {
                let line = self.block.line(span);
                match envelope::head(line) {
                    Ok(head) => {
                        let stream = head.topic.map_or(NO_STREAM, |topic| stream_of(topic, head.partition));
                        self.offsets.entry(stream).or_default().push_back((head.offset, self.heads.len()));
                        self.heads.push(Some((head, stream, span, number)));
                    }
                    Err(_) if line.trim_ascii().is_empty() => {}
                    Err(error) => problems.report(not_an_envelope(&self.block.dump, number, &error)),
                }
            }
        }
        for (stream, offsets) in &mut self.offsets {
            *holders.entry(*stream).or_insert(0) += 1;
            if *stream != NO_STREAM && !offsets.iter().is_sorted() {
                offsets.make_contiguous().sort_unstable();
            }
        }
        true
    }
}

/// The time of a dump's first line; the beginning of time if there is none, so that it is opened, and its problem told.
fn first_ts(dump: &Dump) -> i64 {
    let first = dump.open(Arc::default()).ok().and_then(|input| Lines::new(&dump.name, input).next_block().ok()?);
    let head = first.and_then(|block| envelope::head(block.line(block.spans().next()?)).ok());
    head.map_or(i64::MIN, |head| head.ts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::write::{Outgoing, write_line};
    use crate::sources::dump::files::find;

    /// Writes each list of (partition, offset, ts) into a file and merges them.
    fn merged(files: &[&[(u32, u64, i64)]]) -> Vec<(u32, u64, i64)> {
        let folder = tempfile::tempdir().unwrap();
        for (n, lines) in files.iter().enumerate() {
            let mut bytes = Vec::new();
            for &(partition, offset, ts) in *lines {
                let topic = "axion.sense.citylens.detections";
                write_line(
                    &mut bytes,
                    &Outgoing { topic, partition, offset, ts, headers: &[], key: None, payload: None },
                );
            }
            std::fs::write(folder.path().join(format!("{n}.ndjson")), bytes).unwrap();
        }
        let (dumps, problems) = (find(&[folder.path().to_owned()]).unwrap(), Problems::default());
        let lines = Merge::new(&dumps, &problems, Arc::default());
        lines.map(|line| (line.head.partition, line.head.offset, line.head.ts)).collect()
    }

    #[test]
    fn files_are_merged_by_time() {
        let seen = merged(&[&[(0, 0, 10), (0, 1, 30)], &[(1, 0, 5), (1, 1, 20), (1, 2, 40)], &[(2, 0, 35)]]);
        let times: Vec<i64> = seen.iter().map(|line| line.2).collect();
        assert_eq!(times, [5, 10, 20, 30, 35, 40]);
    }

    #[test]
    fn within_a_partition_the_offset_decides() {
        let seen = merged(&[&[(1, 7, 10), (0, 0, 11), (0, 1, 9)], &[(0, 2, 10), (0, 3, 12)]]);
        let offsets: Vec<u64> = seen.iter().filter(|line| line.0 == 0).map(|line| line.1).collect();
        assert_eq!(offsets, [0, 1, 2, 3]);
    }

    #[test]
    fn files_that_hold_earlier_offsets_for_each_other_are_untangled() {
        let seen = merged(&[&[(0, 10, 1), (1, 1, 2)], &[(1, 2, 1), (0, 5, 2)]]);
        assert_eq!(seen.len(), 4);
        for partition in [0, 1] {
            let offsets: Vec<u64> = seen.iter().filter(|line| line.0 == partition).map(|line| line.1).collect();
            assert!(offsets.is_sorted(), "{offsets:?}");
        }
    }
}
