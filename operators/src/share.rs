//! Lets several readers have one batch, on this worker and on other threads, without copying it.

use std::sync::Arc;

use columnar::{Columnar, Container};
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::progress::Timestamp;

use crate::Batch;

/// A batch that its readers share.
pub type SharedBatch<R> = Arc<Batch<R>>;

/// Extension trait for streams of shared batches.
pub trait Unshare<'scope, T: Timestamp, R: Columnar> {
    /// A batch of each reader's own: a copy of the live rows, unless nobody else has the batch.
    fn unshare(self) -> Stream<'scope, T, Batch<R>>;
}

impl<'scope, T, R> Unshare<'scope, T, R> for Stream<'scope, T, SharedBatch<R>>
where
    T: Timestamp,
    R: Columnar<Container: Container>,
{
    fn unshare(self) -> Stream<'scope, T, Batch<R>> {
        self.unary(Pipeline, "Unshare", |_capability, _info| {
            |input, output| {
                input.for_each(|time, batch| {
                    let shared = std::mem::take(batch);
                    let mut own = Arc::try_unwrap(shared).unwrap_or_else(|shared| shared.compacted());
                    output.session(&time).give_container(&mut own);
                });
            }
        })
    }
}

/// Extension trait for streams of batches.
pub trait Share<'scope, T: Timestamp, R: Columnar> {
    /// Wraps each batch, so that a stream with several consumers hands on a pointer; empty batches end here.
    ///
    /// ```
    /// use hexflow_operators::share::Share;
    /// use hexflow_operators::testing::Batches;
    /// use timely::dataflow::operators::{InspectCore, ToStream};
    ///
    /// timely::example(|scope| {
    ///     let shared = [1u64, 2, 3].to_stream(scope).batches().share();
    ///     shared.clone().inspect_container(|event| drop(event.map(|(_, batch)| assert_eq!(batch.len(), 3))));
    ///     shared.inspect_container(|event| drop(event.map(|(_, batch)| assert_eq!(batch.len(), 3))));
    /// });
    /// ```
    fn share(self) -> Stream<'scope, T, SharedBatch<R>>;
}

impl<'scope, T: Timestamp, R: Columnar> Share<'scope, T, R> for Stream<'scope, T, Batch<R>> {
    fn share(self) -> Stream<'scope, T, SharedBatch<R>> {
        self.unary(Pipeline, "Share", |_capability, _info| {
            |input, output| {
                input.for_each(|time, batch| {
                    if !batch.is_empty() {
                        output.session(&time).give_container(&mut Arc::new(std::mem::take(batch)));
                    }
                });
            }
        })
    }
}
