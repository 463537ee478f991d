//! What came for each epoch, until the epoch is complete: state that changes once an epoch is the same on any number of
//! workers, whatever the order in which batches arrive.

use std::collections::BTreeMap;

use timely::dataflow::operators::Capability;
use timely::order::TotalOrder;
use timely::progress::Timestamp;
use timely::progress::frontier::MutableAntichain;

/// All that came for one epoch, and the right to answer to it on `N` outputs.
pub(crate) struct Epoch<T: Timestamp, C, W, const N: usize> {
    pub(crate) capabilities: [Capability<T>; N],
    pub(crate) data: Vec<C>,
    pub(crate) words: Vec<W>,
}

/// Epochs that wait: of each the containers of data, and what else was said about it.
pub(crate) struct Agenda<T: Timestamp, C, W, const N: usize>(BTreeMap<T, Epoch<T, C, W, N>>);

impl<T: Timestamp, C, W, const N: usize> Default for Agenda<T, C, W, N> {
    fn default() -> Self {
        Agenda(BTreeMap::new())
    }
}

impl<T: Timestamp + TotalOrder, C, W, const N: usize> Agenda<T, C, W, N> {
    /// The epoch `time`; `capabilities` is asked for only if nothing came for it yet.
    pub(crate) fn epoch(
        &mut self,
        time: &T,
        capabilities: impl FnOnce() -> [Capability<T>; N],
    ) -> &mut Epoch<T, C, W, N> {
        let empty = || Epoch { capabilities: capabilities(), data: Vec::new(), words: Vec::new() };
        self.0.entry(time.clone()).or_insert_with(empty)
    }

    /// The first epoch, if nothing more can come for it.
    pub(crate) fn next(&mut self, frontiers: &[MutableAntichain<T>]) -> Option<Epoch<T, C, W, N>> {
        let first = self.0.first_entry()?;
        let complete = frontiers.iter().all(|frontier| !frontier.less_equal(first.key()));
        complete.then(|| first.remove())
    }
}
