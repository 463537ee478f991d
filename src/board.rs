//! The board of stalls: which partitions stand still, where, and why. Every worker's says the same.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use hexflow_dataflows::decode::Stall;
use hexflow_operators::FixedMap;
use hexflow_operators::hold_back::{Barrier, Position};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::StreamVec;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::dataflow::operators::vec::Broadcast;

use crate::progress::Progress;

/// What is known of stalls.
#[derive(Debug, Default)]
pub struct Board {
    /// By stream and offset: a stream stands at the lowest of its offsets.
    stalls: BTreeMap<(u32, u64), Known>,
    /// Counts the changes, so that who looks often need not read all.
    changes: u64,
}

/// What is known of a stall.
#[derive(Debug)]
struct Known {
    stall: Stall,
    /// The time of its record when it stalled last.
    time: u64,
    /// Whether it can go on.
    resolved: bool,
    /// Whether its source was told so: it no longer stands, but workers hold back what is behind it until it came again.
    again: bool,
}

impl Board {
    fn stall(&mut self, stall: Stall, time: u64) {
        self.changes += 1;
        self.stalls.insert((stall.stream, stall.offset), Known { stall, time, resolved: false, again: false });
    }

    fn barrier(&mut self, barrier: Barrier) {
        self.changes += 1;
        match barrier {
            Barrier::Raised(_) => {} // its stall comes with the reason
            Barrier::Resolved(Position { stream, offset }) => {
                if let Some(known) = self.stalls.get_mut(&(stream, offset)) {
                    known.resolved = true;
                }
            }
            // What comes behind it in its stream comes again, and says again whether it stalls.
            Barrier::Lifted(Position { stream, offset }) => {
                self.stalls.retain(|&(other, at), _| other != stream || at < offset);
            }
        }
    }

    /// How often it has changed.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The partitions that stand still, each at its lowest offset.
    pub fn standing(&self) -> Vec<Stall> {
        self.lowest().map(|known| known.stall.clone()).collect()
    }

    /// The same, each with the time of its record when it stalled last.
    pub fn standing_since(&self) -> Vec<(Stall, u64)> {
        self.lowest().map(|known| (known.stall.clone(), known.time)).collect()
    }

    /// Where workers hold partitions back: where they stand, and where those stood that are still to come again.
    pub fn held(&self) -> FixedMap<u32, u64> {
        let mut held = FixedMap::default();
        for &(stream, offset) in self.stalls.keys() {
            held.entry(stream).or_insert(offset);
        }
        held
    }

    fn lowest(&self) -> impl Iterator<Item = &Known> {
        let mut last = None;
        let standing = self.stalls.values().filter(|known| !known.again);
        standing.filter(move |known| last.replace(known.stall.stream) != Some(known.stall.stream))
    }

    /// The partitions whose lowest stall is resolved, to be read again from there, each with the time of its record when it
    /// stalled last; told once.
    ///
    /// They no longer stand, and what is further on leaves the board: all of it is read again, and what still stalls will say
    /// so.
    pub fn take_resolved(&mut self) -> FixedMap<u32, (u64, u64)> {
        let resolved = self.lowest().filter(|known| known.resolved);
        let again: FixedMap<_, _> =
            resolved.map(|known| (known.stall.stream, (known.stall.offset, known.time))).collect();
        self.stalls.retain(|(stream, offset), known| {
            let at = again.get(stream);
            known.again |= at.is_some();
            at.is_none_or(|(at, _)| offset <= at)
        });
        again
    }
}

/// Keeps `board` by what all workers say; the stream it returns is empty, and ends when nothing more can come.
pub fn keep<'scope>(
    board: Rc<RefCell<Board>>,
    stalls: StreamVec<'scope, u64, Stall>,
    barriers: StreamVec<'scope, u64, Barrier>,
    progress: Arc<Progress>,
) -> StreamVec<'scope, u64, ()> {
    stalls.broadcast().binary_frontier::<_, CapacityContainerBuilder<Vec<()>>, _, _, _, _>(
        barriers.broadcast(),
        Pipeline,
        Pipeline,
        "Board",
        |_capability, _info| {
            // At one time a stall comes after what lifts those before it, and before what resolves it.
            let mut waiting: BTreeMap<u64, (Vec<Stall>, Vec<Barrier>)> = BTreeMap::new();
            let mut held = BTreeMap::new();
            move |(stalls, stalls_frontier), (barriers, barriers_frontier), output| {
                stalls.for_each(|time, data| {
                    held.entry(*time.time()).or_insert_with(|| time.retain(output.output_index()));
                    waiting.entry(*time.time()).or_default().0.append(data);
                });
                barriers.for_each(|time, data| {
                    held.entry(*time.time()).or_insert_with(|| time.retain(output.output_index()));
                    waiting.entry(*time.time()).or_default().1.append(data);
                });
                let complete = |time: &u64| !stalls_frontier.less_equal(time) && !barriers_frontier.less_equal(time);
                while let Some(entry) = waiting.first_entry().filter(|entry| complete(entry.key())) {
                    let (time, (stalls, barriers)) = entry.remove_entry();
                    let mut board = board.borrow_mut();
                    let (lifted, others): (Vec<_>, Vec<_>) =
                        barriers.into_iter().partition(|barrier| matches!(barrier, Barrier::Lifted(_)));
                    lifted.into_iter().for_each(|barrier| board.barrier(barrier));
                    stalls.into_iter().for_each(|stall| board.stall(stall, time));
                    others.into_iter().for_each(|barrier| board.barrier(barrier));
                    progress.stalls.store(board.standing().len() as u64, Relaxed);
                    held.remove(&time); // the time may pass: the board knows
                }
            }
        },
    )
}
