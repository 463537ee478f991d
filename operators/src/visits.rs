//! Visits as a collection: of each key, its instants cut where a gap is longer than `gap_ms`.
//!
//! ```text
//!   visits(gap, A)  =  { (key, (first, last, n)) : maximal runs of n instants of key whose neighbours are <= gap apart }
//! ```
//!
//! Retraction-correct: an instant that comes may merge two visits, one that goes may split one. A `reduce`: a change of a key
//! walks all instants of that key, so this is for small collections and for what retracts; hot streams that only grow keep
//! [`crate::sessions`].

use differential_dataflow::lattice::Lattice;
use differential_dataflow::{ExchangeData, VecCollection};
use timely::progress::Timestamp;

/// First and last instant of a visit, ms since the epoch, and how many there are.
pub type Visit = (i64, i64, i64);

/// Extension trait for collections of instants by key, ms since the epoch.
pub trait Visits<'scope, T: Timestamp + Lattice, K: ExchangeData> {
    /// The visits of each key. Instants exactly `gap_ms` apart are of one visit.
    ///
    /// ```
    /// use differential_dataflow::input::Input;
    /// use hexflow_operators::visits::Visits;
    ///
    /// timely::example(|scope| {
    ///     scope
    ///         .new_collection_from(vec![(7u64, 0i64), (7, 60), (7, 121)])
    ///         .1
    ///         .visits(60)
    ///         .inspect(|((_, visit), _, _)| assert!([(0, 60, 2), (121, 121, 1)].contains(visit)));
    /// });
    /// ```
    fn visits(self, gap_ms: i64) -> VecCollection<'scope, T, (K, Visit)>;
}

impl<'scope, T, K> Visits<'scope, T, K> for VecCollection<'scope, T, (K, i64)>
where
    T: Timestamp + Lattice,
    K: ExchangeData + std::hash::Hash,
{
    fn visits(self, gap_ms: i64) -> VecCollection<'scope, T, (K, Visit)> {
        self.reduce_named("Visits", move |_key, instants: &[(&i64, isize)], visits: &mut Vec<(Visit, isize)>| {
            for &(&at_ms, count) in instants.iter().filter(|(_, count)| *count > 0) {
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                match visits.last_mut() {
                    Some(((_, last, so_far), _)) if at_ms.saturating_sub(*last) <= gap_ms => {
                        (*last, *so_far) = (at_ms, *so_far + count);
                    }
                    _ => visits.push(((at_ms, at_ms, count), 1)),
                }
            }
        })
    }
}
