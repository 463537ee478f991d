//! The order in which records arrived, the same whoever reads them.
//!
//! Within a partition that is the order of offsets, whatever times producers wrote; between partitions it is the order of
//! times, as a folder of dumps is merged. Both hold if a record counts as no earlier than those before it in its partition:
//!
//! ```text
//!   arrival  =  (max of the topic times so far in the partition, partition, offset)
//! ```
//!
//! A record may come again, after a stop or when its partition was set back. It must not count as later than it did at first,
//! so what is behind the highest offset has a maximum of its own, from where the partition was set back to.

use columnar::Columnar;
use hexflow_operators::outputs::Outputs;
use hexflow_operators::{Batch, FixedMap};
use serde::{Deserialize, Serialize};
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::vec::Broadcast;
use timely::dataflow::{Stream, StreamVec};
use timely::progress::Timestamp;

use crate::readings::{CameraDetection, Movement};

/// A row that has an arrival.
pub trait Arrived: Columnar {
    /// The columns of partitions, of offsets and of topic times.
    fn arrivals(columns: &mut Self::Container) -> (&[u32], &[u64], &mut [i64]);
}

macro_rules! arrived {
    ($($row:ident),*) => {$(
        impl Arrived for $row {
            fn arrivals(columns: &mut Self::Container) -> (&[u32], &[u64], &mut [i64]) {
                let arrival = &mut columns.arrival;
                (&arrival.stream, &arrival.offset, &mut arrival.ts)
            }
        }
    )*};
}

arrived!(Movement, CameraDetection);

/// How far a partition was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reached {
    /// The highest offset.
    pub offset: u64,
    /// The latest topic time up to it, ms since the epoch.
    pub ts: i64,
}

/// Rows in order, and how far their partitions were read.
pub struct Ordered<'scope, T: Timestamp, R: Columnar> {
    /// The rows.
    pub rows: Stream<'scope, T, Batch<R>>,
    /// Partitions that were read further than ever before.
    pub reached: StreamVec<'scope, T, (u32, Reached)>,
}

/// Extension trait for streams of batches.
pub trait Arrivals<'scope, T: Timestamp, R: Columnar> {
    /// Lets no row's topic time be before that of a row before it in its partition. A partition's rows must come on one
    /// worker, in their order; `restored` is how far an earlier run has read. State: a few numbers a partition.
    fn arrivals(self, restored: StreamVec<'scope, T, (u32, Reached)>) -> Ordered<'scope, T, R>;
}

impl<'scope, T: Timestamp, R: Arrived> Arrivals<'scope, T, R> for Stream<'scope, T, Batch<R>> {
    fn arrivals(self, restored: StreamVec<'scope, T, (u32, Reached)>) -> Ordered<'scope, T, R> {
        let mut builder = OperatorBuilder::new("Arrivals".to_owned(), self.scope());
        let mut input = builder.new_input(self, Pipeline);
        let mut restored = builder.new_input(restored.broadcast(), Pipeline);
        let (mut row_output, rows) = builder.output::<Batch<R>>();
        let (mut reached_output, reached) = builder.output::<Vec<(u32, Reached)>>();

        builder.build(move |_capabilities| {
            let mut partitions = FixedMap::<u32, Partition>::default();
            let (mut waiting, mut further) = (Vec::new(), FixedMap::default());
            move |frontiers| {
                restored.for_each(|_time, said| {
                    partitions.extend(said.drain(..).map(|(stream, reached)| (stream, Partition::at(reached))));
                });
                input.for_each(|time, batch| waiting.push(([0, 1].map(|n| time.retain(n)), std::mem::take(batch))));
                if !frontiers[1].is_empty() {
                    return; // more may have stood before
                }
                for ([to_rows, to_reached], mut batch) in waiting.drain(..) {
                    in_order(&mut batch, &mut partitions, &mut further);
                    row_output.activate().session(&to_rows).give_container(&mut batch);
                    reached_output.activate().session(&to_reached).give_iterator(further.drain());
                }
            }
        });
        Ordered { rows, reached }
    }
}

fn in_order<R: Arrived>(
    batch: &mut Batch<R>,
    partitions: &mut FixedMap<u32, Partition>,
    further: &mut FixedMap<u32, Reached>,
) {
    let (streams, offsets, times) = R::arrivals(batch.columns_mut());
    for ((&stream, &offset), ts) in streams.iter().zip(offsets).zip(times) {
        let now = Reached { offset, ts: *ts };
        let partition = partitions.entry(stream).or_insert_with(|| Partition::at(Reached { offset: 0, ts: i64::MIN }));
        *ts = partition.arrive(now);
        further.extend(partition.further.take().map(|reached| (stream, reached)));
    }
}

/// A partition, as far as it was read.
struct Partition {
    highest: Reached,
    /// Whether anything of it was read.
    is_known: bool,
    /// The last record, and the latest time since the partition was set back to where it is.
    last: Reached,
    /// How far it was read now, if further than before.
    further: Option<Reached>,
}

impl Partition {
    fn at(highest: Reached) -> Self {
        Partition { highest, is_known: highest.ts > i64::MIN, last: highest, further: None }
    }

    /// The time at which the next record counts as having come.
    fn arrive(&mut self, Reached { offset, ts }: Reached) -> i64 {
        if !self.is_known || offset > self.highest.offset {
            self.is_known = true;
            self.highest = Reached { offset, ts: self.highest.ts.max(ts) };
            (self.last, self.further) = (self.highest, Some(self.highest));
        } else {
            let goes_on = offset > self.last.offset;
            self.last = Reached { offset, ts: if goes_on { self.last.ts.max(ts) } else { ts } };
        }
        self.last.ts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_never_fall_and_what_comes_again_comes_no_later() {
        let mut partition = Partition::at(Reached { offset: 0, ts: i64::MIN });
        let mut arrive = |offset, ts| partition.arrive(Reached { offset, ts });
        let first = [arrive(0, 5), arrive(1, 9), arrive(2, 7), arrive(5, 8)];
        assert_eq!(first, [5, 9, 9, 9]);
        // All of it again, then a part, and on from there.
        assert_eq!([arrive(0, 5), arrive(1, 9), arrive(2, 7), arrive(5, 8)], first);
        assert_eq!([arrive(2, 7), arrive(5, 8), arrive(6, 3), arrive(7, 10)], [7, 8, 9, 10]);
    }

    #[test]
    fn a_later_run_goes_on_from_what_was_reached() {
        let mut partition = Partition::at(Reached { offset: 5, ts: 9 });
        let mut arrive = |offset, ts| partition.arrive(Reached { offset, ts });
        assert_eq!([arrive(5, 8), arrive(6, 3)], [8, 9]);
        assert_eq!(partition.further, Some(Reached { offset: 6, ts: 9 }));
    }
}
