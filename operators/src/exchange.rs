//! Moves rows to the worker that owns them, and nothing where they already are.

use columnar::{Columnar, Container};
use timely::communication::Push;
use timely::dataflow::Stream;
use timely::dataflow::channels::Message;
use timely::dataflow::channels::pact::DistributorPact;
use timely::dataflow::channels::pushers::exchange::Distributor;
use timely::dataflow::operators::generic::Operator;
use timely::progress::Timestamp;

use crate::Batch;
use crate::batch::Columns;

/// Rows gathered for one worker before they are sent on.
const ROWS_PER_BATCH: usize = 2048;

/// Extension trait for streams of batches.
pub trait ExchangeBy<R: Columnar> {
    /// Sends each row to worker `owner(row)` modulo their number.
    ///
    /// A batch whose rows all have one owner moves whole: with one worker, or where a source already reads the partitions
    /// of the rows it owns, nothing is copied. Rows between two workers keep their order.
    ///
    /// ```
    /// use hexflow_operators::ExchangeBy;
    /// use hexflow_operators::testing::{Batches, InspectRows};
    /// use timely::dataflow::operators::ToStream;
    ///
    /// timely::execute(timely::Config::process(2), |worker| {
    ///     let index = worker.index() as u64;
    ///     worker.dataflow::<u64, _, _>(|scope| {
    ///         (0..10u64)
    ///             .map(|n| (n, format!("row {n}")))
    ///             .to_stream(scope)
    ///             .batches()
    ///             .exchange_by(|columns, row| columns.0[row])
    ///             .inspect_rows(move |(n, _)| assert_eq!(n % 2, index));
    ///     });
    /// })
    /// .unwrap();
    /// ```
    fn exchange_by(self, owner: impl Fn(&Columns<'_, R>, usize) -> u64 + 'static) -> Self;
}

impl<T: Timestamp, R: Columnar> ExchangeBy<R> for Stream<'_, T, Batch<R>>
where
    R::Container: Container,
{
    fn exchange_by(self, owner: impl Fn(&Columns<'_, R>, usize) -> u64 + 'static) -> Self {
        let pact = DistributorPact(move |peers| ByOwner::new(peers, owner));
        self.unary(pact, "ExchangeBy", |_capability, _info| {
            |input, output| {
                input.for_each(|time, batch| output.session(&time).give_container(batch));
            }
        })
    }
}

/// Splits batches by the owner of each row.
struct ByOwner<R: Columnar, F> {
    owner: F,
    waiting: Vec<Batch<R>>,
    owners: Vec<usize>,
}

impl<R: Columnar, F: Fn(&Columns<'_, R>, usize) -> u64> ByOwner<R, F> {
    fn new(peers: usize, owner: F) -> Self {
        ByOwner { owner, waiting: (0..peers).map(|_| Batch::default()).collect(), owners: Vec::new() }
    }
}

impl<R: Columnar, F: Fn(&Columns<'_, R>, usize) -> u64> Distributor<Batch<R>> for ByOwner<R, F> {
    fn partition<T: Clone, P: Push<Message<T, Batch<R>>>>(
        &mut self,
        batch: &mut Batch<R>,
        time: &T,
        pushers: &mut [P],
    ) {
        let peers = pushers.len() as u64;
        self.owners.clear();
        #[expect(clippy::cast_possible_truncation, reason = "below the number of workers")]
        self.owners.extend(batch.read(&self.owner).map(|owner| (owner % peers) as usize));
        let Some(&first) = self.owners.first() else { return };
        if self.owners.iter().all(|&owner| owner == first) {
            send(&mut self.waiting[first], time, &mut pushers[first]); // what waits was there before
            Message::push_at(batch, time.clone(), &mut pushers[first]);
            return;
        }
        for (row, &owner) in batch.iter().zip(&self.owners) {
            let waiting = &mut self.waiting[owner];
            waiting.push(row);
            if waiting.len() >= ROWS_PER_BATCH {
                send(waiting, time, &mut pushers[owner]);
            }
        }
    }

    fn flush<T: Clone, P: Push<Message<T, Batch<R>>>>(&mut self, time: &T, pushers: &mut [P]) {
        for (waiting, pusher) in self.waiting.iter_mut().zip(pushers) {
            send(waiting, time, pusher);
        }
    }
}

/// Sends what waits for a worker, if anything does.
fn send<T: Clone, R: Columnar, P: Push<Message<T, Batch<R>>>>(waiting: &mut Batch<R>, time: &T, pusher: &mut P) {
    if !waiting.is_empty() {
        Message::push_at(waiting, time.clone(), pusher);
        *waiting = Batch::default();
    }
}
