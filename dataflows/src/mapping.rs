//! The mapping collection: the axion track id of each Citylens track, arranged once and read by every pipeline.

use differential_dataflow::lattice::Lattice;
use differential_dataflow::{AsCollection, VecCollection};
use hexflow_operators::Batch;
use hexflow_operators::lookup::Key;
use hexflow_operators::standing::{ArrangeStanding, Standing};
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::progress::Timestamp;

use crate::rows::{Track, axion_track_id, owner, text};

/// `(track, (rank, axion track id))`: rank 0 for what a store holds, 1 for what is made here; the lower stands.
pub type Proposals<'scope, T> = VecCollection<'scope, T, (Key, (u8, u128))>;

/// The collection `(track, axion track id)`, on the workers that own the tracks.
pub type Mapping<'scope, T> = Standing<'scope, Key, u128, T>;

/// Rank of a row that a store holds.
pub const STORED: u8 = 0;
/// Rank of a row made for a track event.
pub const MADE: u8 = 1;

/// Arranges the mapping: rows that stand in the store, and those settled for track events, of which the lowest rank stands.
pub fn arrange<'scope, T: Timestamp + Lattice>(
    stored: Proposals<'scope, T>,
    settled: Proposals<'scope, T>,
) -> Mapping<'scope, T> {
    stored.concat(settled).arrange_standing("Mapping", |key| owner(*key))
}

/// One proposal for each track event, made here: for a store that nobody else writes mapping rows into. The collection
/// counts equal ones as one.
pub fn made<'scope, T: Timestamp + Lattice>(tracks: Stream<'scope, T, Batch<Track>>) -> Proposals<'scope, T> {
    let proposals = tracks.unary(Pipeline, "Propose", |_capability, _info| {
        |input, output| {
            input.for_each(|time, batch| {
                let at = time.time().clone();
                output.session(&time).give_iterator(batch.iter().map(|track| {
                    let axion = axion_track_id(text(track.track_id)).as_u128();
                    ((track.meta.track_key, (MADE, axion)), at.clone(), 1)
                }));
            });
        }
    });
    proposals.container::<Vec<_>>().as_collection()
}
