//! The operator that has a mapping row settled for each track event, before anything uses the track's axion id.
//!
//! ```text
//!   track events --> tracks not settled yet --> the mapper's thread --> the rows that stand, at the events' time
//!                       the time is held until then: what is looked up at it waits
//! ```
//! Other writers insert into the same table at the same time: whoever was first, the row that stands is the one that comes
//! out, as one of the store's. What waits is bounded by the source, which stays a fixed number of epochs ahead. Which tracks
//! were asked for is kept, 32 bytes each: the mapping itself is larger.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::channel;

use differential_dataflow::AsCollection;
use hexflow_dataflows::mapping::{Proposals, STORED};
use hexflow_dataflows::rows::{Track, text};
use hexflow_operators::lookup::Key;
use hexflow_operators::{Batch, FixedMap};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::Operator;

use super::mapper::{Mapper, Reply};

type Update = ((Key, (u8, u128)), u64, isize);

/// The rows that stand for the tracks of which an event came; each is asked for once.
pub fn settle<'scope>(tracks: Stream<'scope, u64, Batch<Track>>, mapper: Mapper) -> Proposals<'scope, u64> {
    let scope = tracks.scope();
    let settled = tracks.unary_frontier::<CapacityContainerBuilder<Vec<Update>>, _, _, _>(
        Pipeline,
        "Settle",
        |_capability, info| {
            let (sender, answers) = channel();
            let reply = Arc::new(Reply { sender, activator: scope.worker().sync_activator_for(info.address.to_vec()) });
            let mut asked = Asked::default();
            let mut waiting: BTreeMap<u64, Capability<u64>> = BTreeMap::new();
            let mut next_ticket = 0;
            let mut mapper = Some(mapper);
            move |(input, frontier), output| {
                input.for_each(|time, batch| {
                    let tracks = asked.new_ones(batch, *time.time());
                    if let Some(mapper) = mapper.as_ref().filter(|_| !tracks.is_empty()) {
                        waiting.insert(next_ticket, time.retain(output.output_index()));
                        mapper.settle(tracks, next_ticket, Arc::clone(&reply));
                        next_ticket += 1;
                    }
                });
                for (ticket, rows) in answers.try_iter() {
                    let Some(capability) = waiting.remove(&ticket) else { continue };
                    let at = *capability.time();
                    let updates = rows.into_iter().map(|(track, axion)| ((track, (STORED, axion)), at, 1));
                    output.session(&capability).give_iterator(updates);
                }
                if frontier.is_empty() && waiting.is_empty() {
                    mapper = None; // the thread ends
                }
            }
        },
    );
    settled.as_collection()
}

/// The tracks that were asked for, and from which time on the answer serves.
#[derive(Default)]
struct Asked(FixedMap<Key, u64>);

impl Asked {
    /// The tracks of a batch at `time` that no answer will serve yet.
    fn new_ones(&mut self, batch: &Batch<Track>, time: u64) -> Vec<String> {
        let mut tracks = Vec::new();
        for row in batch.iter() {
            let since = self.0.entry(row.meta.track_key).or_insert(u64::MAX);
            if *since > time {
                *since = time;
                tracks.push(text(row.track_id).to_owned());
            }
        }
        tracks
    }
}
