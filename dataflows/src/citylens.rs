//! The main job: tracks, frames and detections of citylens, mapped to axion's tracks, deduplicated, and sent on.
//!
//! ```text
//!  tracks --- by track --+------------------- lookup -- hold back -- upsert --> tracks
//!                        +-- mapping --+------------------------------^
//!  frames --- by track ----------------+---- lookup -- hold back -- upsert --> frames
//!  detections by track ----------------+---- lookup -- hold back -- upsert --> detections
//!                                                 |                         by H3 cell --> requests
//!                                missing mapping -+--> stalls
//! ```

use differential_dataflow::lattice::Lattice;
use hexflow_operators::batch::Columns;
use hexflow_operators::cell::ExchangeByCell;
use hexflow_operators::hold_back::{Barrier, HoldBack, Position};
use hexflow_operators::lookup::Lookup;
use hexflow_operators::share::{Share, SharedBatch, Unshare};
use hexflow_operators::upsert::Upsert;
use hexflow_operators::{Batch, ExchangeBy};
use timely::dataflow::operators::Concatenate;
use timely::dataflow::operators::vec::{Broadcast, Map};
use timely::dataflow::{Stream, StreamVec};
use timely::order::TotalOrder;
use timely::progress::Timestamp;

use crate::counts::Counts;
use crate::decode::Stall;
use crate::mapping::{self, Mapping, Proposals};
use crate::rows::{Detection, Entity, Frame, Track, owner};
use crate::stalls::{missing_mapping, missing_tracks};

/// What the pipeline reads, as it was decoded.
pub struct Inputs<'scope, T: Timestamp> {
    /// Rows of tracks.
    pub tracks: Stream<'scope, T, Batch<Track>>,
    /// Rows of frames.
    pub frames: Stream<'scope, T, Batch<Frame>>,
    /// Rows of detections.
    pub detections: Stream<'scope, T, Batch<Detection>>,
    /// Where records stood that were skipped.
    pub skipped: StreamVec<'scope, T, Position>,
}

/// What the pipeline yields.
pub struct Citylens<'scope, T: Timestamp + Lattice> {
    /// Tracks to write and to send on.
    pub tracks: Stream<'scope, T, SharedBatch<Track>>,
    /// Frames to write and to send on.
    pub frames: Stream<'scope, T, SharedBatch<Frame>>,
    /// Detections to write.
    pub detections: Stream<'scope, T, SharedBatch<Detection>>,
    /// Partitions that stand still, and why.
    pub stalls: StreamVec<'scope, T, Stall>,
    /// Tracks whose mapping a record waits for.
    pub missing: StreamVec<'scope, T, String>,
    /// What becomes of those that wait for a mapping.
    pub barriers: StreamVec<'scope, T, Barrier>,
    /// What became of rows.
    pub counts: StreamVec<'scope, T, Counts>,
    /// The mapping, for any other pipeline that looks tracks up.
    pub mapping: Mapping<'scope, T>,
}

/// Builds the pipeline from rows and the mapping rows that are `stored` already; `settle` yields the row that stands for
/// each track of which an event came. Primary keys are remembered for `dedup_window_ms` of event time.
pub fn build<'scope, T: Timestamp + Lattice + TotalOrder>(
    inputs: Inputs<'scope, T>,
    stored: Proposals<'scope, T>,
    settle: impl FnOnce(Stream<'scope, T, Batch<Track>>) -> Proposals<'scope, T>,
    dedup_window_ms: i64,
) -> Citylens<'scope, T> {
    let Inputs { tracks, frames, detections, skipped } = inputs;
    let tracks = tracks.exchange_by(owner_of::<Track>);
    let mapping = mapping::arrange(stored, settle(tracks.clone()));

    let known = (&mapping, skipped.broadcast(), dedup_window_ms);
    let tracks = settled(tracks, known.clone());
    let frames = settled(frames.exchange_by(owner_of::<Frame>), known.clone());
    let detections = settled(detections.exchange_by(owner_of::<Detection>), known);

    let scope = tracks.stalls.scope();
    Citylens {
        tracks: tracks.rows,
        frames: frames.rows,
        detections: detections.rows,
        stalls: scope.concatenate([tracks.stalls, frames.stalls, detections.stalls]),
        missing: scope.concatenate([tracks.missing, frames.missing, detections.missing]),
        barriers: scope.concatenate([tracks.barriers, frames.barriers, detections.barriers]),
        counts: scope.concatenate([tracks.counts, frames.counts, detections.counts]),
        mapping,
    }
}

/// The detections to cluster: all those of an H3 cell on one worker.
pub fn requests<'scope, T: Timestamp>(
    detections: Stream<'scope, T, SharedBatch<Detection>>,
) -> Stream<'scope, T, SharedBatch<Detection>> {
    detections.unshare().exchange_by_cell(|detections, row| detections.cell[row]).share()
}

fn owner_of<R: Entity>(columns: &Columns<'_, R>, row: usize) -> u64 {
    owner(R::track_key(columns, row))
}

/// Rows of one kind with their mapping, in their partitions' order, the newest of each key.
struct Settled<'scope, T: Timestamp, R: Entity> {
    rows: Stream<'scope, T, SharedBatch<R>>,
    stalls: StreamVec<'scope, T, Stall>,
    missing: StreamVec<'scope, T, String>,
    barriers: StreamVec<'scope, T, Barrier>,
    counts: StreamVec<'scope, T, Counts>,
}

fn settled<'scope, T: Timestamp + Lattice + TotalOrder, R: Entity>(
    rows: Stream<'scope, T, Batch<R>>,
    (mapping, skipped, window_ms): (&Mapping<'scope, T>, StreamVec<'scope, T, Position>, i64),
) -> Settled<'scope, T, R> {
    let found = rows.lookup(mapping.clone(), skipped, R::track_key, R::position, R::set_axion);
    let upserts = found.hits.hold_back(found.barriers.clone(), R::position).upsert(window_ms, R::candidate);
    Settled {
        rows: upserts.rows.share(),
        stalls: missing_mapping(found.missed.clone()),
        missing: missing_tracks(found.missed),
        barriers: found.barriers,
        // Rows that go on are counted where they are written.
        counts: upserts.tallies.map(|tally| Counts { upserts: 0, ..Counts::from(tally) }),
    }
}
