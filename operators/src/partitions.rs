//! How far each partition has come in event time: see [`crate::watermark`] for what is made of it.

use columnar::{Columnar, Container, Index};

use crate::batch::Columns;
use crate::watermark::{Lateness, Stamp};
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
            let time = self.own.entry(partition).or_insert(clock_ms);
            *time = (*time).max(clock_ms);
            let in_time = event_ms >= self.floor_ms.max(time.saturating_sub(self.lateness.lateness_ms));
            if !in_time {
                late.push(columns.get(row));
            }
            in_time
        });
        late
    }

    /// Learns how far partitions came in an epoch; the floor, if it has risen.
    pub(crate) fn advance(&mut self, clocks: &[(u32, i64)]) -> Option<i64> {
        for &(partition, clock_ms) in clocks {
            let time = self.all.entry(partition).or_insert(clock_ms);
            *time = (*time).max(clock_ms);
        }
        let unseen = *self.unseen.get_or_insert(self.all.values().copied().min()?);
        let foremost = self.all.values().copied().max()?;
        let active =
            self.all.values().chain([&unseen]).filter(|time| **time >= foremost.saturating_sub(self.lateness.idle_ms));
        let floor = active.min()?.saturating_sub(self.lateness.lateness_ms);
        (floor > self.floor_ms).then(|| {
            self.floor_ms = floor;
            floor
        })
    }
}
