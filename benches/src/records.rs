//! Generated records in memory: what a bench gives out without a file or a broker in the way.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::{Result, ensure};
use hexflow::sources::dump::envelope::Head;
use hexflow::sources::dump::files;
use hexflow::sources::dump::lines::Block;
use hexflow::sources::dump::merge::Merge;
use hexflow::sources::dump::problems::Problems;
use hexflow::sources::dump::records::{Line, Slice};

use crate::dumps;

/// Records of the citylens topics in the order of their times, as the lines of a dump.
#[derive(Default)]
pub(crate) struct Memory {
    blocks: Vec<Arc<Block>>,
    /// Their `block` is an index of these.
    lines: Vec<Line>,
    /// Of all records, with their envelopes.
    pub(crate) bytes: usize,
    problems: Arc<Problems>,
}

impl Memory {
    /// About `count` records, a tenth of them repeats and a twentieth stale; the same every time.
    pub(crate) fn generate(count: u64) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        dumps::all_topics(count, folder.path())?;
        Self::read(folder.path())
    }

    /// All records of a folder's dumps.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut memory = Memory::default();
        let dumps = files::find(&[folder.to_owned()])?;
        let mut bytes = 0;
        let mut merge = Merge::new(&dumps, &memory.problems, Arc::new(AtomicU64::new(0)));
        while let Some((line, block)) = merge.next_line() {
            let Some(topic) = line.head.topic else { continue };
            let known = memory.blocks.iter().rev().take(8).position(|known| Arc::ptr_eq(known, block));
            let at = known.map_or(memory.blocks.len(), |back| memory.blocks.len() - 1 - back);
            if known.is_none() {
                memory.blocks.push(Arc::clone(block));
            }
            let Head { partition, offset, ts, .. } = line.head;
            bytes += block.line(line.index as usize).len();
            let (block, index, rest) = (u32::try_from(at)?, line.index, line.rest);
            memory.lines.push(Line { topic, partition, offset, ts, block, index, rest });
        }
        drop(merge);
        memory.bytes = bytes;
        ensure!(memory.problems.told().is_empty(), "{}", memory.problems.told().join("\n"));
        Ok(memory)
    }

    /// The number of records.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Of the first `count` records, the indexes of those that worker `index` of `peers` reads, as a consumer group would
    /// deal them.
    pub(crate) fn dealt_to(&self, index: usize, peers: usize, count: usize) -> Vec<u32> {
        let mine = (0u32..).zip(&self.lines[..count]).filter(|(_, line)| line.partition as usize % peers == index);
        mine.map(|(index, _)| index).collect()
    }

    /// The records of these indexes, as a source emits them.
    pub(crate) fn slice(&self, indexes: &[u32]) -> Slice {
        let mut slice = Slice { problems: Arc::clone(&self.problems), ..Slice::default() };
        let mut blocks: Vec<u32> = Vec::new();
        for &index in indexes {
            let line = self.lines[index as usize];
            let at = blocks.iter().rposition(|&known| known == line.block).unwrap_or_else(|| {
                blocks.push(line.block);
                slice.blocks.push(Arc::clone(&self.blocks[line.block as usize]));
                blocks.len() - 1
            });
            slice.lines.push(Line { block: u32::try_from(at).unwrap_or(u32::MAX), ..line });
        }
        slice
    }
}
