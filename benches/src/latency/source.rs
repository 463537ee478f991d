//! The bench's source: gives out records as they arrive by the schedule, in batches by the rule that sources share.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hexflow::sources::batching::{Batching, Filling};
use hexflow::sources::dump::records::Slice;
use hexflow_operators::outputs::Outputs;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::{ProbeHandle, Scope, Stream};

use super::schedule::Schedule;
use crate::records::Memory;

/// Batches of a worker that may be under way: as many as a replay's epochs. Beyond it the source waits; its records don't
/// stop arriving.
const BATCHES_IN_FLIGHT: usize = 128;

/// How often a source that waits for sinks looks again.
const POLL: Duration = Duration::from_micros(500);

/// How often a worker of several says that it has passed an instant, for others' batches wait for that.
const TICK: Duration = Duration::from_millis(1);

/// A batch under way: its epoch, and which of the worker's records are in it.
pub(super) struct UnderWay {
    pub(super) epoch: u64,
    pub(super) records: Range<usize>,
}

/// Batches under way, the oldest first.
pub(super) type InFlight = Rc<RefCell<VecDeque<UnderWay>>>;

/// What a worker's source needs.
pub(super) struct Offer {
    pub(super) memory: Arc<Memory>,
    pub(super) schedule: Schedule,
    pub(super) batching: Batching,
    /// Indexes of this worker's records.
    pub(super) mine: Rc<[u32]>,
    pub(super) in_flight: InFlight,
}

/// Emits this worker's records as they arrive.
pub(super) fn records<'scope>(scope: Scope<'scope, u64>, offer: Offer) -> Stream<'scope, u64, Slice> {
    let mut builder = OperatorBuilder::new("Offer".to_owned(), scope);
    let (mut output, stream) = builder.output::<Slice>();
    let (activator, peers) = (scope.activator_for(builder.operator_info().address), scope.peers());
    builder.build(move |mut capabilities| {
        let mut capability = capabilities.pop();
        let (mut next, mut batch) = (0, Filling::new(offer.batching));
        move |_frontiers| {
            let Some(cap) = capability.as_mut() else { return };
            let mut output = output.activate();
            let mut wait = None;
            while wait.is_none() {
                let now = Instant::now();
                next += offer.fill(&mut batch, next, now);
                if !batch.is_due(now) {
                    wait = Some(offer.next_event(&batch, next).map_or(POLL, |at| at.saturating_duration_since(now)));
                } else if offer.is_full() {
                    wait = Some(POLL);
                } else {
                    let epoch = offer.schedule.epoch(now).max(*cap.time());
                    let records = next - batch.take()..next;
                    output.session(&cap.delayed(&epoch)).give_container(&mut offer.slice(records.clone()));
                    offer.in_flight.borrow_mut().push_back(UnderWay { epoch, records });
                    cap.downgrade(&(epoch + 1));
                }
            }
            if next == offer.mine.len() && batch.is_empty() {
                capability = None;
                return;
            }
            if peers > 1 {
                let epoch = offer.schedule.epoch(Instant::now()).max(*cap.time());
                cap.downgrade(&epoch);
            }
            let longest = if peers > 1 { TICK } else { Duration::MAX };
            activator.activate_after(wait.unwrap_or(POLL).min(longest));
        }
    });
    stream
}

impl Offer {
    /// Puts into the batch what has arrived by `now` and finds room; says how many.
    fn fill(&self, batch: &mut Filling, next: usize, now: Instant) -> usize {
        let arrivals = self.mine[next..].iter().map(|&n| self.schedule.arrival(n));
        let arrived = arrivals.take(batch.room()).take_while(|arrival| *arrival <= now);
        arrived.map(|arrival| batch.add(arrival)).count()
    }

    /// When the batch will be full or due, if nothing else happens.
    fn next_event(&self, batch: &Filling, next: usize) -> Option<Instant> {
        let last = self.mine.get(next + batch.room().saturating_sub(1)).map(|&n| self.schedule.arrival(n));
        let due = batch.due_at().or_else(|| self.mine.get(next).map(|&n| self.schedule.arrival(n)));
        last.into_iter().chain(due).min()
    }

    fn is_full(&self) -> bool {
        self.in_flight.borrow().len() >= BATCHES_IN_FLIGHT
    }

    fn slice(&self, records: Range<usize>) -> Slice {
        self.memory.slice(&self.mine[records])
    }
}

/// Calls `each` with the records of every batch whose effects have settled since it was last asked.
pub(super) fn settled(in_flight: &InFlight, probe: &ProbeHandle<u64>, mut each: impl FnMut(Range<usize>)) {
    let mut in_flight = in_flight.borrow_mut();
    while let Some(oldest) = in_flight.front().filter(|oldest| !probe.less_equal(&oldest.epoch)) {
        each(oldest.records.clone());
        in_flight.pop_front();
    }
}
