//! The operator between a dataflow and its sinks: hands rows over, and holds their time until all sinks have them durable.
//!
//! That is the commit protocol: when the frontier behind this operator has passed an epoch, every effect of every record of
//! that epoch is durable in every sink.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::channel;

use hexflow_operators::upsert::Tally;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::StreamVec;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::operator::Operator;

use super::Rows;
use super::writer::{Queue, Reply};

/// Extension trait for streams of rows.
pub trait Deliver<'scope> {
    /// Hands rows to each of `sinks`; yields what became of them once they are durable in all.
    fn deliver(self, sinks: Vec<Queue>) -> StreamVec<'scope, u64, Tally>;
}

impl<'scope> Deliver<'scope> for StreamVec<'scope, u64, Rows> {
    fn deliver(self, sinks: Vec<Queue>) -> StreamVec<'scope, u64, Tally> {
        let scope = self.scope();
        self.unary_frontier::<CapacityContainerBuilder<Vec<Tally>>, _, _, _>(
            Pipeline,
            "Deliver",
            |_capability, info| {
                let (sender, durable) = channel();
                let activator = scope.worker().sync_activator_for(info.address.to_vec());
                let reply = Arc::new(Reply { sender, activator });
                let mut under_way: BTreeMap<u64, (Capability<u64>, usize)> = BTreeMap::new();
                let mut next_ticket = 0;
                let mut sinks = Some(sinks);
                move |(input, frontier), output| {
                    input.for_each(|time, data| {
                        let sinks = sinks.as_deref().unwrap_or_default();
                        // Without a sink there is nothing to wait for.
                        for rows in data.drain(..).filter(|rows| !rows.is_empty() && !sinks.is_empty()) {
                            under_way.insert(next_ticket, (time.retain(output.output_index()), sinks.len()));
                            for sink in sinks {
                                sink.hand(&rows, next_ticket, Arc::clone(&reply));
                            }
                            next_ticket += 1;
                        }
                    });
                    for (ticket, tally) in durable.try_iter() {
                        let Some((capability, waiting)) = under_way.get_mut(&ticket) else { continue };
                        output.session(&*capability).give(tally);
                        *waiting -= 1;
                        if *waiting == 0 {
                            under_way.remove(&ticket);
                        }
                    }
                    if frontier.is_empty() && under_way.is_empty() {
                        sinks = None; // the sinks' threads end
                    }
                }
            },
        )
    }
}
