//! Of several values that were proposed for a key, the one that stands: an arranged collection others look up.
//!
//! A proposal has a rank. The lowest rank wins, so that what a table already holds (rank 0) stands against anything
//! proposed later (rank 1), whoever proposes it; among equal ranks the smallest value wins, so that the order of arrival
//! does not matter:
//!
//! ```text
//!   proposals  (key, (rank, value))  --reduce-->  standing  (key, value),  value = min over (rank, value)
//! ```

use differential_dataflow::lattice::Lattice;
use differential_dataflow::operators::arrange::{Arranged, TraceAgent, arrangement::arrange_core};
use differential_dataflow::trace::implementations::chunker::ContainerChunker;
use differential_dataflow::trace::implementations::{ValBatcher, ValBuilder, ValSpine};
use differential_dataflow::{ExchangeData, VecCollection};
use timely::dataflow::channels::pact::Exchange;
use timely::progress::Timestamp;

/// The trace of a collection of `(key, value)`.
pub type StandingTrace<K, V, T> = TraceAgent<ValSpine<K, V, T, isize>>;

/// An arranged collection of `(key, value)`, one value a key.
pub type Standing<'scope, K, V, T> = Arranged<'scope, StandingTrace<K, V, T>>;

/// Extension trait for collections of proposals.
pub trait ArrangeStanding<'scope, T: Timestamp + Lattice, K: ExchangeData, V: ExchangeData> {
    /// Arranges, for each key, the value that stands, on the worker that `owner` says.
    ///
    /// ```
    /// use differential_dataflow::input::Input;
    /// use hexflow_operators::standing::ArrangeStanding;
    ///
    /// timely::example(|scope| {
    ///     let (found, made) = ("found".to_owned(), "made".to_owned());
    ///     let proposals = vec![(1u64, (1, made.clone())), (1, (0, found)), (2, (1, made))];
    ///     scope
    ///         .new_collection_from(proposals)
    ///         .1
    ///         .arrange_standing("Mapping", |_key| 0)
    ///         .as_collection(|key, value| (*key, value.clone()))
    ///         .inspect(|((key, value), _, _)| assert_eq!(value == "found", *key == 1));
    /// });
    /// ```
    fn arrange_standing(self, name: &str, owner: impl Fn(&K) -> u64 + 'static) -> Standing<'scope, K, V, T>;
}

impl<'scope, T, K, V> ArrangeStanding<'scope, T, K, V> for VecCollection<'scope, T, (K, (u8, V))>
where
    T: Timestamp + Lattice,
    K: ExchangeData,
    V: ExchangeData,
{
    fn arrange_standing(self, name: &str, owner: impl Fn(&K) -> u64 + 'static) -> Standing<'scope, K, V, T> {
        let pact = Exchange::new(move |update: &((K, (u8, V)), T, isize)| owner(&update.0.0));
        arrange_core::<_, _, ContainerChunker<_>, ValBatcher<_, _, _, _>, ValBuilder<_, _, _, _>, ValSpine<_, _, _, _>>(
            self.inner,
            pact,
            &format!("Arrange: {name} proposals"),
        )
        .reduce_abelian::<_, ValBuilder<_, _, _, _>, ValSpine<K, V, _, _>, _, _>(
            &format!("Arrange: {name}"),
            |_key, proposals, output| output.push((proposals[0].0.1.clone(), 1)), // proposals come sorted
            |updates, key, changes| {
                updates.clear();
                updates.extend(changes.drain(..).map(|(value, time, diff)| ((key.clone(), value), time, diff)));
            },
        )
    }
}
