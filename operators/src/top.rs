//! The most frequent items of each key, with ties: what a tie at the last place would leave out by chance stays in.
//!
//! ```text
//!   top(k, A)  =  { (key, (item, n)) : n = count(key, item) > 0, fewer than k items of key have a greater count }
//! ```
//!
//! A `reduce`: its input is small, being counts and not records, and it is asked for by few. Cost: a change of a key looks
//! at all items of that key. State: the items and counts of each key.

use differential_dataflow::lattice::Lattice;
use differential_dataflow::{ExchangeData, VecCollection};
use timely::progress::Timestamp;

/// Extension trait for collections of items by key; how often an item is there is its count.
pub trait Top<'scope, T: Timestamp + Lattice, K: ExchangeData, V: ExchangeData> {
    /// The `k` most frequent items of each key with their counts, and all that are as frequent as the last of them.
    ///
    /// ```
    /// use differential_dataflow::input::Input;
    /// use hexflow_operators::top::Top;
    ///
    /// timely::example(|scope| {
    ///     let seen = ["car", "car", "bus", "bus", "tram", "bike"].map(|item| ("gate", item.to_owned()));
    ///     scope
    ///         .new_collection_from(seen.to_vec())
    ///         .1
    ///         .map(|(place, item)| (place.to_owned(), item))
    ///         .top(3) // the third place is shared
    ///         .inspect(|((_, (item, count)), _, _)| assert_eq!(*count, if item.len() == 3 { 2 } else { 1 }));
    /// });
    /// ```
    fn top(self, k: usize) -> VecCollection<'scope, T, (K, (V, i64))>;
}

impl<'scope, T, K, V> Top<'scope, T, K, V> for VecCollection<'scope, T, (K, V)>
where
    T: Timestamp + Lattice,
    K: ExchangeData + std::hash::Hash,
    V: ExchangeData,
{
    fn top(self, k: usize) -> VecCollection<'scope, T, (K, (V, i64))> {
        self.reduce_named("Top", move |_key, items: &[(&V, isize)], top| {
            let counts = items.iter().map(|(item, count)| (*item, i64::try_from(*count).unwrap_or(i64::MAX)));
            top.extend(top_of(counts.collect(), k).into_iter().map(|(item, count)| ((item.clone(), count), 1)));
        })
    }
}

/// The `k` items of the greatest counts, and all that tie with the last of them; the greatest first, equal ones by name.
///
/// ```
/// # use hexflow_operators::top::top_of;
/// assert_eq!(top_of(vec![("a", 1), ("b", 2), ("c", 1)], 2), [("b", 2), ("a", 1), ("c", 1)]);
/// assert!(top_of(vec![("a", 1)], 0).is_empty());
/// ```
pub fn top_of<V: Ord>(mut counts: Vec<(V, i64)>, k: usize) -> Vec<(V, i64)> {
    counts.retain(|(_, count)| *count > 0);
    counts.sort_unstable_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
    let last = k.checked_sub(1).map_or(i64::MAX, |last| counts.get(last).map_or(0, |(_, count)| *count));
    counts.truncate(counts.partition_point(|(_, count)| *count >= last));
    if k == 0 {
        counts.clear();
    }
    counts
}
