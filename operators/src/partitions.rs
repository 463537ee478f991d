//! How far each partition has come in event time: see [`crate::watermark`] for what is made of it.

use columnar::{Columnar, Container, Index};

use crate::batch::Columns;
use crate::watermark::{Lateness, Mark, Stamp};
use crate::{Batch, FixedMap};

/// How far each partition has come.
pub(crate) struct Partitions {
    lateness: Lateness,
    /// Of the partitions whose rows come here, as of the last row.
    own: FixedMap<u32, i64>,
    /// Of all, as of the last epoch.
    all: FixedMap<u32, i64>,
    /// Where a partition stands of which nothing came yet: where the hindmost was when the first came.
    unseen: Option<i64>,
    floor_ms: i64,
}

impl Partitions {
    pub(crate) fn new(lateness: Lateness) -> Self {
        Partitions { lateness, own: FixedMap::default(), all: FixedMap::default(), unseen: None, floor_ms: i64::MIN }
    }

    /// Takes the rows out of `batch` that are too late.
    pub(crate) fn judge<R: Columnar<Container: Container>>(
        &mut self,
        batch: &mut Batch<R>,
        stamp: impl Fn(&Columns<'_, R>, usize) -> Stamp,
    ) -> Batch<R> {
        let mut late = Batch::default();
        batch.retain(|columns, row| {
            let Stamp { partition, event_ms, clock_ms } = stamp(columns, row);
            let known = || self.all.get(&partition).copied().unwrap_or(clock_ms);
            let time = self.own.entry(partition).or_insert_with(known);
            *time = (*time).max(clock_ms);
            let in_time = event_ms >= self.floor_ms.max(time.saturating_sub(self.lateness.lateness_ms));
            if !in_time {
                late.push(columns.get(row));
            }
            in_time
        });
        late
    }

    /// Learns what was said of an epoch; the floor, if it has risen. Adds the marks that have moved to `moved`.
    pub(crate) fn advance(&mut self, said: &[Mark], moved: &mut Vec<Mark>) -> Option<i64> {
        let before_ms = self.floor_ms;
        for &mark in said {
            match mark {
                Mark::Clock(partition, clock_ms) => {
                    if self.all.get(&partition).is_none_or(|known| *known < clock_ms) {
                        self.all.insert(partition, clock_ms);
                        moved.push(mark);
                    }
                }
                Mark::Unseen(ms) => self.unseen = Some(ms),
                Mark::Floor(floor_ms) => self.floor_ms = self.floor_ms.max(floor_ms),
            }
        }
        self.floor_ms = self.floor_ms.max(self.floor(moved).unwrap_or(i64::MIN));
        (self.floor_ms > before_ms).then(|| {
            moved.push(Mark::Floor(self.floor_ms));
            self.floor_ms
        })
    }

    /// The floor by how far partitions have come, if any has.
    fn floor(&mut self, moved: &mut Vec<Mark>) -> Option<i64> {
        let (hindmost, foremost) = (self.all.values().copied().min()?, self.all.values().copied().max()?);
        let unseen = *self.unseen.get_or_insert_with(|| {
            moved.push(Mark::Unseen(hindmost));
            hindmost
        });
        let idle = foremost.saturating_sub(self.lateness.idle_ms);
        let active = self.all.values().copied().chain([unseen]).filter(|time| *time >= idle);
        Some(active.min()?.saturating_sub(self.lateness.lateness_ms))
    }
}
