//! Runs a pipeline in a test, on several workers, and keeps what its tables hold in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use columnar::Columnar;
use hexflow_operators::Batch;
use hexflow_operators::testing::Batches;
use timely::Config;
use timely::dataflow::operators::Inspect;
use timely::dataflow::operators::vec::Input;
use timely::dataflow::{Scope, Stream, StreamVec};

use crate::change::Change;

/// Splitmix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// At least 0, less than `end`.
    pub(crate) fn below(&mut self, end: i64) -> i64 {
        i64::try_from(self.next() % end.unsigned_abs()).unwrap()
    }
}

/// What came out, in order, with its epoch; many workers write to it.
pub(crate) struct Kept<O>(Arc<Mutex<Vec<(u64, O)>>>);

impl<O> Clone for Kept<O> {
    fn clone(&self) -> Self {
        Kept(Arc::clone(&self.0))
    }
}

impl<O> Default for Kept<O> {
    fn default() -> Self {
        Kept(Arc::default())
    }
}

impl<O: Clone + Send + 'static> Kept<O> {
    /// Keeps all of a stream.
    pub(crate) fn keep(&self, stream: StreamVec<'_, u64, O>) {
        let kept = self.clone();
        stream.inspect_time(move |time, output| kept.push(*time, output.clone()));
    }

    /// Keeps one thing.
    pub(crate) fn push(&self, epoch: u64, output: O) {
        self.0.lock().unwrap().push((epoch, output));
    }

    pub(crate) fn take(&self) -> Vec<(u64, O)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// What a table holds after all changes. Each must change something, and no key may change twice in an epoch.
pub(crate) fn table<K: Ord + Clone + Debug, R: PartialEq + Debug>(changes: Vec<(u64, Change<K, R>)>) -> BTreeMap<K, R> {
    let (mut table, mut seen) = (BTreeMap::new(), BTreeSet::new());
    for (epoch, Change { key, row }) in changes {
        assert!(seen.insert((key.clone(), epoch)), "{key:?} changes twice in epoch {epoch}");
        let before = table.remove(&key);
        assert_ne!(before, row, "{key:?} does not change in epoch {epoch}");
        row.map(|row| table.insert(key, row));
    }
    table
}

/// Runs `build` on `workers` workers; of each epoch's rows a worker reads those whose partition, by `stream`, is its.
pub(crate) fn run<R: Columnar + Clone + Send + Sync, W: Clone + Send + Sync + 'static>(
    workers: usize,
    epochs: &[(Vec<R>, Vec<W>)],
    stream: fn(&R) -> u32,
    build: impl for<'scope> Fn(Scope<'scope, u64>, Stream<'scope, u64, Batch<R>>, StreamVec<'scope, u64, W>)
    + Send
    + Sync
    + 'static,
) {
    let epochs = epochs.to_vec();
    let config = if workers == 1 { Config::thread() } else { Config::process(workers) };
    timely::execute(config, move |worker| {
        let (index, peers) = (worker.index(), worker.peers());
        let (mut rows, mut words) = worker.dataflow(|scope| {
            let (rows, row_stream) = scope.new_input::<R>();
            let (words, word_stream) = scope.new_input::<W>();
            build(scope, row_stream.batches(), word_stream);
            (rows, words)
        });
        for (epoch, (epoch_rows, epoch_words)) in (1..).zip(&epochs) {
            epoch_rows
                .iter()
                .filter(|row| stream(row) as usize % peers == index)
                .for_each(|row| rows.send(row.clone()));
            // Words are said by whichever worker.
            let mine = epoch_words.iter().enumerate().filter(|(n, _)| n % peers == index);
            mine.for_each(|(_, word)| words.send(word.clone()));
            rows.advance_to(epoch);
            words.advance_to(epoch);
            worker.step();
        }
    })
    .unwrap();
}
