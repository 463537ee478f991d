//! The order in which records arrived, the same whoever reads them.
//!
//! Within a partition that is the order of offsets, whatever times producers wrote; between partitions it is the order of
//! times, as a folder of dumps is merged. Both hold if a record counts as no earlier than those before it in its partition:
//!
//! ```text
//!   arrival  =  (max of the topic times so far in the partition, partition, offset)
//! ```

use columnar::Columnar;
use hexflow_operators::{Batch, FixedMap};
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::progress::Timestamp;

use crate::readings::{CameraDetection, Movement};

/// A row that has an arrival.
pub trait Arrived: Columnar {
    /// The columns of partitions and of topic times.
    fn arrivals(columns: &mut Self::Container) -> (&[u32], &mut [i64]);
}

macro_rules! arrived {
    ($($row:ident),*) => {$(
        impl Arrived for $row {
            fn arrivals(columns: &mut Self::Container) -> (&[u32], &mut [i64]) {
                (&columns.arrival.stream, &mut columns.arrival.ts)
            }
        }
    )*};
}

arrived!(Movement, CameraDetection);

/// Extension trait for streams of batches.
pub trait Arrivals {
    /// Lets no row's topic time be before that of a row before it in its partition. A partition's rows must come on one
    /// worker, in their order. State: a time a partition.
    fn arrivals(self) -> Self;
}

impl<T: Timestamp, R: Arrived> Arrivals for Stream<'_, T, Batch<R>> {
    fn arrivals(self) -> Self {
        self.unary(Pipeline, "Arrivals", |_capability, _info| {
            let mut latest = FixedMap::<u32, i64>::default();
            move |input, output| {
                input.for_each(|time, batch| {
                    let (streams, times) = R::arrivals(batch.columns_mut());
                    for (stream, ts) in streams.iter().zip(times) {
                        let latest = latest.entry(*stream).or_insert(*ts);
                        *latest = (*latest).max(*ts);
                        *ts = *latest;
                    }
                    output.session(&time).give_container(batch);
                });
            }
        })
    }
}
