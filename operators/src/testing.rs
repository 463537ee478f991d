//! Small ways into and out of streams of batches, for examples and tests.

use columnar::{Columnar, Ref};
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::dataflow::{Stream, StreamVec};
use timely::progress::Timestamp;

use crate::Batch;

/// Makes batches of rows.
pub trait Batches<'scope, T: Timestamp, R: Columnar> {
    /// One batch of the rows of each container.
    fn batches(self) -> Stream<'scope, T, Batch<R>>;
}

impl<'scope, T: Timestamp, R: Columnar + Clone> Batches<'scope, T, R> for StreamVec<'scope, T, R> {
    fn batches(self) -> Stream<'scope, T, Batch<R>> {
        self.unary(Pipeline, "Batches", |_capability, _info| {
            |input, output| {
                input.for_each(|time, rows| {
                    let mut batch = Batch::default();
                    rows.drain(..).for_each(|row| batch.push(&row));
                    output.session(&time).give_container(&mut batch);
                });
            }
        })
    }
}

/// Looks at rows.
pub trait InspectRows<R: Columnar> {
    /// Calls `look` with each row.
    fn inspect_rows(self, look: impl Fn(Ref<'_, R>) + 'static) -> Self;
}

impl<T: Timestamp, R: Columnar> InspectRows<R> for Stream<'_, T, Batch<R>> {
    fn inspect_rows(self, look: impl Fn(Ref<'_, R>) + 'static) -> Self {
        self.unary(Pipeline, "InspectRows", |_capability, _info| {
            move |input, output| {
                input.for_each(|time, batch| {
                    batch.iter().for_each(&look);
                    output.session(&time).give_container(batch);
                });
            }
        })
    }
}
