//! Cuts merged lines into epochs and deals each epoch's lines to the workers: one thread a process.
//!
//! An epoch holds a fixed number of lines of the pipelines' topics, so that every process cuts the same ones; a partition's
//! lines go to the worker whose number is the partition's modulo all workers', as a consumer group would deal them.
//! When all was read, the workers say which stalled partitions can go on, and those are read once more.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::pipelines::Pipelines;
use hexflow_operators::FixedMap;
use timely::scheduling::SyncActivator;

use super::envelope::Head;
use super::files::Dump;
use super::lines::Block;
use super::merge::{Merge, Merged};
use super::problems::Problems;
use super::records::{Line, Slice};
use crate::progress::Progress;

/// Where stalled partitions are to be read again: the lowest offset of each.
pub type Again = FixedMap<u32, u64>;

/// What a worker is sent.
pub enum Dealt {
    /// Its lines of an epoch.
    Epoch(u64, Slice),
    /// All was read; the epoch is one beyond the last.
    End(u64),
}

/// The sending side of one worker's channel.
pub struct Worker {
    /// Bounded, so that reading keeps pace with the dataflow.
    pub sender: SyncSender<Dealt>,
    /// Wakes the worker's source.
    pub activator: SyncActivator,
}

/// The workers of this process among all.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// Number of this process's first worker.
    pub first: usize,
    /// Number of all workers.
    pub peers: usize,
}

/// Deals `dumps` to the workers of this process until nothing is left to be read again.
///
/// `epoch_lines` is the size of an epoch. After each pass a message on `again` says what to read once more.
pub struct Sequencer {
    /// What is read.
    pub dumps: Vec<Dump>,
    /// Whose topics are dealt; the others are passed over.
    pub pipelines: Pipelines,
    /// Lines in an epoch.
    pub epoch_lines: usize,
    /// Which workers are this process's.
    pub share: Share,
    /// Their channels.
    pub workers: Vec<Worker>,
    /// What to read once more, after each pass.
    pub again: Receiver<Again>,
    /// Where problems with the dumps are noted.
    pub problems: Arc<Problems>,
    /// How far reading has come.
    pub progress: Arc<Progress>,
}

impl Sequencer {
    /// Runs until a pass leaves nothing to be read again, or a worker is gone.
    pub fn run(self) {
        let mut epoch = 1; // 0 is for what stood before
        let mut filter = None;
        while let Some(next) = self.pass(epoch, filter.as_ref()) {
            epoch = next + 1;
            match self.again.recv() {
                Ok(again) if !again.is_empty() => filter = Some(again),
                _ => return,
            }
        }
    }

    /// Reads all dumps once; of lines read before only those that `again` asks for. Returns the epoch beyond the last.
    fn pass(&self, mut epoch: u64, again: Option<&Again>) -> Option<u64> {
        let quiet = Problems::default(); // what is wrong with a file was told in the first pass
        let problems = if again.is_some() { &quiet } else { &self.problems };
        let mut slices = self.slices(again.is_some());
        let (mut count, mut passed_over, mut latest) = (0, 0, i64::MIN);
        let mut merge = Merge::new(&self.dumps, problems, Arc::clone(&self.progress.bytes));
        while let Some((line, block)) = merge.next_line() {
            let Some(topic) = line.head.topic.filter(|topic| self.pipelines.reader(*topic).is_some()) else {
                passed_over += 1;
                continue;
            };
            if again.is_some_and(|again| again.get(&line.stream).is_none_or(|&offset| line.head.offset < offset)) {
                continue;
            }
            latest = latest.max(line.head.ts);
            self.deal(&mut slices, topic, &line, block);
            count += 1;
            if count == self.epoch_lines {
                self.progress.saw(count, std::mem::take(&mut passed_over), latest, again.is_none());
                self.send(epoch, std::mem::replace(&mut slices, self.slices(again.is_some())))?;
                epoch += 1;
                count = 0;
            }
        }
        self.progress.saw(count, passed_over, latest, again.is_none());
        self.send(epoch, slices)?;
        for worker in &self.workers {
            worker.sender.send(Dealt::End(epoch + 1)).ok()?;
            worker.activator.activate().ok()?;
        }
        Some(epoch + 1)
    }

    fn slices(&self, again: bool) -> Vec<Slice> {
        let empty = || Slice { again, problems: Arc::clone(&self.problems), ..Slice::default() };
        self.workers.iter().map(|_| empty()).collect()
    }

    fn deal(&self, slices: &mut [Slice], topic: Topic, line: &Merged, block: &Arc<Block>) {
        let Head { partition, offset, ts, .. } = line.head;
        let worker = (partition as usize % self.share.peers).checked_sub(self.share.first);
        let Some(slice) = worker.and_then(|worker| slices.get_mut(worker)) else { return };
        // A block's lines come in runs: mostly it is among the last few.
        let known = slice.blocks.iter().rposition(|known| Arc::ptr_eq(known, block));
        let block = known.unwrap_or_else(|| {
            slice.blocks.push(Arc::clone(block));
            slice.blocks.len() - 1
        });
        let block = u32::try_from(block).expect("an epoch has fewer blocks than lines");
        slice.lines.push(Line { topic, partition, offset, ts, block, index: line.index, rest: line.rest });
    }

    fn send(&self, epoch: u64, slices: Vec<Slice>) -> Option<()> {
        for (worker, slice) in self.workers.iter().zip(slices) {
            worker.sender.send(Dealt::Epoch(epoch, slice)).ok()?;
            worker.activator.activate().ok()?;
        }
        Some(())
    }
}
