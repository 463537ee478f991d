//! Merges dumps by time: of the files' next lines the one with the smallest `ts` comes first.
//!
//! Within one partition the offset decides, whatever the times say: a line waits while another file is known to hold an
//! earlier offset of its partition. Of lines with one `ts`, those of tracks come before those of frames and detections.
//! A file is opened only when its first line's time has come, so that thousands of hourly dumps can be merged.

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
    heads: VecDeque<(Head, u32, Span, u64)>,
    /// Offsets of each stream in `heads`, in order.
    offsets: FixedMap<u32, VecDeque<u64>>,
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
            let earliest = self.open.iter().filter_map(|reader| reader.heads.front()).map(|(head, ..)| head.ts).min();
            if earliest.is_some_and(|earliest| earliest < ts) {
                return;
            }
            self.closed.pop();
            match dump.open(Arc::clone(&self.read)) {
                Ok(input) => {
                    let lines = Lines::new(&dump.name, input);
                    let (block, heads, offsets) = Default::default();
                    let mut reader = Reader { lines, block, heads, offsets };
                    if reader.fill(self.problems, &mut self.holders) {
                        self.open.push(reader);
                    }
                }
                Err(error) => self.problems.report(format!("{}: cannot be opened: {error}", dump.name)),
            }
        }
    }

    /// Which open file has the next line.
    fn choose(&self) -> Option<usize> {
        let time = |reader: &Reader| reader.heads.front().map(|(head, ..)| (head.ts, head.topic.is_none(), head.topic));
        let mut chosen = (0..self.open.len()).min_by_key(|&at| time(&self.open[at]))?;
        // Follow the files that hold earlier offsets; files that wait for each other are let go on by time.
        for _ in 0..self.open.len() {
            let (head, stream, ..) = self.open[chosen].heads.front()?;
            if self.holders.get(stream).is_none_or(|&holders| holders < 2) {
                break;
            }
            let earlier = |reader: &Reader| {
                reader.offsets.get(stream).and_then(|offsets| offsets.front()).is_some_and(|&o| o < head.offset)
            };
            match (0..self.open.len()).find(|&at| at != chosen && earlier(&self.open[at])) {
                Some(at) => chosen = at,
                None => break,
            }
        }
        Some(chosen)
    }
}

impl Iterator for Merge<'_> {
    type Item = Merged;

    fn next(&mut self) -> Option<Merged> {
        self.open_due();
        let chosen = self.choose()?;
        let reader = &mut self.open[chosen];
        let (head, stream, span, number) = reader.heads.pop_front()?;
        if let Some(offsets) = reader.offsets.get_mut(&stream) {
            offsets.pop_front();
        }
        let block = Arc::clone(&reader.block);
        if reader.heads.is_empty() && !reader.fill(self.problems, &mut self.holders) {
            self.open.remove(chosen);
        }
        Some(Merged { head, stream: (stream != NO_STREAM).then_some(stream), block, span, number })
    }
}

impl Reader {
    /// Reads the next block that holds a line; `false` if there is none.
    fn fill(&mut self, problems: &Problems, holders: &mut FixedMap<u32, usize>) -> bool {
        for (stream, _) in self.offsets.drain() {
            holders.entry(stream).and_modify(|count| *count -= 1);
        }
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
                        self.heads.push_back((head, stream, span, number));
                        self.offsets.entry(stream).or_default().push_back(head.offset);
                    }
                    Err(_) if line.trim_ascii().is_empty() => {}
                    Err(error) => problems.report(not_an_envelope(&self.block.dump, number, &error)),
                }
            }
        }
        for stream in self.offsets.keys() {
            *holders.entry(*stream).or_insert(0) += 1;
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
    fn files_that_wait_for_each_other_go_on() {
        let seen = merged(&[&[(0, 10, 1), (1, 1, 2)], &[(1, 2, 1), (0, 5, 2)]]);
        assert_eq!(seen.len(), 4);
    }
}
