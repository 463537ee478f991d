//! Merges dumps by time: of the files' next lines the one with the smallest `ts` comes first.
//!
//! Within one partition the offset decides, whatever the times say: when a line's turn comes, what the blocks at hand hold
//! of its partition at lower offsets comes first, in whatever file and place. Of lines with one `ts`, those of tracks come
//! before those of frames and detections. A file is opened an hour before its first line's time, so that thousands of
//! hourly dumps can be merged.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::rows::stream_of;
use hexflow_operators::FixedMap;

use super::envelope::{self, Head};
use super::files::Dump;
use super::lines::{Block, Lines};
use super::problems::Problems;
use super::records::not_an_envelope;
use crate::buffers::Buffers;

/// How long before its first line's time a file is opened: times within a partition may run back, and what an unopened
/// file holds is not known.
const OPEN_AHEAD_MS: i64 = 3_600_000;

/// The stream's name of lines that belong to no topic of hexflow's.
const NO_STREAM: u32 = u32::MAX;

/// A line, in merged order.
#[derive(Clone, Copy, Debug)]
pub struct Merged {
    /// Its topic, partition, offset and time.
    pub head: Head,
    /// Topic and partition as rows name them; of a topic that is none of hexflow's a name that no row has.
    pub stream: u32,
    /// Which line of its block it is.
    pub index: u32,
    /// Where in the line what follows `ts` begins; 0 if it is to be read as a whole.
    pub rest: u32,
    given: bool,
}

/// The lines of several dumps, merged.
pub struct Merge<'a> {
    problems: &'a Problems,
    read: Arc<AtomicU64>,
    /// Dumps not opened yet, the one whose first line is earliest last.
    closed: Vec<(i64, &'a Dump)>,
    open: Vec<Reader>,
    /// Of each stream, which open files hold lines, and the lowest offset there.
    holders: FixedMap<u32, Vec<(usize, u64)>>,
    /// Names open files.
    opened: usize,
    buffers: Buffers,
    /// The file whose line is given out and, until when it is the earliest: the turn of the next one.
    turn: Option<(usize, Option<Turn>)>,
}

/// What decides which file's line is next: time, then hexflow's topics in their order, then the file opened first.
type Turn = (i64, bool, Option<Topic>, usize);

/// An open dump and the lines of its current block.
struct Reader {
    name: usize,
    lines: Lines,
    block: Arc<Block>,
    pending: Vec<Merged>,
    /// Index of the first line that was not given out.
    next: usize,
    /// Whether each stream's offsets ascend in the block.
    sorted: bool,
}

impl<'a> Merge<'a> {
    /// Merges `dumps`; what is wrong with them goes to `problems`, packed bytes read are added to `read`.
    pub fn new(dumps: &'a [Dump], problems: &'a Problems, read: Arc<AtomicU64>) -> Self {
        let mut closed: Vec<(i64, &Dump)> = dumps.iter().map(|dump| (first_ts(dump), dump)).collect();
        closed.reverse(); // of equals the first named is opened first
        closed.sort_by_key(|&(ts, _)| std::cmp::Reverse(ts));
        let holders = FixedMap::default();
        Merge { problems, read, closed, open: Vec::new(), holders, opened: 0, buffers: Buffers::default(), turn: None }
    }

    /// The next line and its block.
    pub fn next_line(&mut self) -> Option<(Merged, &Arc<Block>)> {
        let first = self.earliest()?;
        let reader = &self.open[first];
        let line = reader.pending[reader.next];
        let (chosen, at) = if self.is_lowest(reader, &line) {
            (first, reader.next)
        } else {
            self.turn = None; // another file's next line may change
            self.lowest(line.stream)?
        };
        let reader = &mut self.open[chosen];
        let line = reader.pending[at];
        reader.pending[at].given = true;
        while reader.pending.get(reader.next).is_some_and(|line| line.given) {
            reader.next += 1;
        }
        Some((line, &reader.block))
    }

    /// The open file whose next line comes first.
    fn earliest(&mut self) -> Option<usize> {
        if let Some((at, until)) = self.turn
            && let Some(turn) = self.open[at].turn()
            && until.is_none_or(|until| turn < until)
            && self.open.iter().all(|reader| reader.next < reader.pending.len())
        {
            return Some(at);
        }
        self.turn = None;
        self.refill();
        let (mut first, mut second) = (None, None);
        for turn in self.open.iter().map(Reader::turn).zip(0..).filter_map(|(turn, at)| Some((turn?, at))) {
            if first.is_none_or(|first| turn < first) {
                (first, second) = (Some(turn), first);
            } else if second.is_none_or(|second| turn < second) {
                second = Some(turn);
            }
        }
        let ((_, first), second) = (first?, second.map(|(turn, _)| turn));
        // What is not open yet takes its turn, too, an hour ahead.
        let opens = self.closed.last().map(|&(ts, _)| (ts.saturating_sub(OPEN_AHEAD_MS), false, None, 0));
        self.turn = Some((first, [second, opens].into_iter().flatten().min()));
        Some(first)
    }

    /// Reads on in files whose block is given out, and opens those that are due.
    fn refill(&mut self) {
        for mut reader in std::mem::take(&mut self.open) {
            if reader.next < reader.pending.len() || reader.fill(self.problems, &mut self.holders) {
                self.open.push(reader);
            }
        }
        while let Some(&(ts, dump)) = self.closed.last() {
            let earliest = self.open.iter().filter_map(Reader::turn).min();
            if earliest.is_some_and(|(earliest, ..)| earliest.saturating_add(OPEN_AHEAD_MS) < ts) {
                return;
            }
            self.closed.pop();
            match dump.open(Arc::clone(&self.read)) {
                Ok(input) => {
                    let mut reader = Reader::new(self.opened, Lines::new(&dump.name, input, &self.buffers));
                    self.opened += 1;
                    if reader.fill(self.problems, &mut self.holders) {
                        self.open.push(reader);
                    }
                }
                Err(error) => self.problems.report(format!("{}: cannot be opened: {error}", dump.name)),
            }
        }
    }

    /// Whether no line at hand of the same stream has a lower offset.
    fn is_lowest(&self, reader: &Reader, line: &Merged) -> bool {
        let holders = self.holders.get(&line.stream).map(Vec::as_slice).unwrap_or_default();
        line.stream == NO_STREAM
            || reader.sorted
                && (holders.len() < 2
                    || holders.iter().all(|&(name, lowest)| name == reader.name || line.offset() < lowest))
    }

    /// Of a stream's lines at hand the one with the lowest offset: the file and the line's index there.
    fn lowest(&self, stream: u32) -> Option<(usize, usize)> {
        let lines = self.open.iter().enumerate().flat_map(|(at, reader)| {
            let pending = reader.pending.iter().enumerate().skip(reader.next);
            pending
                .filter(move |(_, line)| line.stream == stream && !line.given)
                .map(move |(index, line)| (line, at, index))
        });
        lines.min_by_key(|(line, ..)| line.offset()).map(|(_, at, index)| (at, index))
    }
}

impl Merged {
    fn offset(&self) -> u64 {
        self.head.offset
    }
}

impl Reader {
    fn new(name: usize, lines: Lines) -> Self {
        Reader { name, lines, block: Arc::default(), pending: Vec::new(), next: 0, sorted: true }
    }

    /// The turn of the first line that was not given out.
    fn turn(&self) -> Option<Turn> {
        let head = &self.pending.get(self.next)?.head;
        Some((head.ts, head.topic.is_none(), head.topic, self.name))
    }

    /// Reads the next block that holds a line; `false` if there is none.
    fn fill(&mut self, problems: &Problems, holders: &mut FixedMap<u32, Vec<(usize, u64)>>) -> bool {
        holders.values_mut().for_each(|holders| holders.retain(|&(name, _)| name != self.name));
        self.pending.clear();
        self.next = 0;
        while self.pending.is_empty() {
            match self.lines.next_block() {
                Ok(Some(block)) => self.block = Arc::new(block),
                Ok(None) => return false,
                Err(error) => {
                    problems.report(error);
                    return false;
                }
            }
            self.read_heads(problems);
        }
        let mut spans = FixedMap::<u32, (u64, u64)>::default();
        self.sorted = true;
        for line in &self.pending {
            let (lowest, last) = spans.entry(line.stream).or_insert((line.offset(), line.offset()));
            self.sorted &= line.offset() >= *last;
            (*lowest, *last) = ((*lowest).min(line.offset()), line.offset());
        }
        for (stream, (lowest, _)) in spans {
            holders.entry(stream).or_default().push((self.name, lowest));
        }
        true
    }

    fn read_heads(&mut self, problems: &Problems) {
        let as_u32 = |length: usize| u32::try_from(length).expect("shorter than a block");
        for index in 0..self.block.len() {
            let line = self.block.line(index);
            match envelope::head(line) {
                Ok((head, rest)) => {
                    let stream = head.topic.map_or(NO_STREAM, |topic| stream_of(topic, head.partition));
                    let (index, rest) = (as_u32(index), as_u32(rest));
                    self.pending.push(Merged { head, stream, index, rest, given: false });
                }
                Err(_) if line.trim_ascii().is_empty() => {}
                Err(error) => problems.report(not_an_envelope(&self.block.dump, self.block.number(index), &error)),
            }
        }
    }
}

/// The time of a dump's first line; the beginning of time if there is none, so that it is opened, and its problem told.
fn first_ts(dump: &Dump) -> i64 {
    let first = dump
        .open(Arc::default())
        .ok()
        .and_then(|input| Lines::new(&dump.name, input, &Buffers::default()).next_block().ok()?);
    let head = first.and_then(|block| envelope::head(block.line(0)).ok());
    head.map_or(i64::MIN, |(head, _)| head.ts)
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
        let mut merge = Merge::new(&dumps, &problems, Arc::default());
        let lines = std::iter::from_fn(|| merge.next_line().map(|(line, _)| line.head));
        lines.map(|head| (head.partition, head.offset, head.ts)).collect()
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
