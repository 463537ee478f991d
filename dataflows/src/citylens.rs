//! The main job: tracks, frames and detections of citylens, mapped to axion's tracks, deduplicated, and sent on.
//!
//! ```text
//!  records -- decode --+-- tracks --- by track --+------------------- lookup -- hold back -- upsert --> tracks
//!                      |                         +-- mapping --+------------------------------^
//!                      +-- frames --- by track ----------------+---- lookup -- hold back -- upsert --> frames
//!                      +-- detections by track ----------------+---- lookup -- hold back -- upsert --> detections
//!                      |                                                                |         by H3 cell --> requests
//!                      +-- malformed --> stalls, dead letters        missing mapping ---+--> stalls
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
use crate::decode::{DeadLetter, Decode, OnMalformed, Stall};
use crate::mapping::{self, Mapping, Proposals};
use crate::record::Records;
use crate::rows::{Detection, Entity, Frame, Track, owner};
use crate::skips::Skips;
use crate::stalls::{missing_mapping, missing_tracks};

/// What the pipeline is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The environment whose messages count.
    pub env: String,
    /// What becomes of a malformed record.
    pub on_malformed: OnMalformed,
    /// How long primary keys are remembered, ms of event time.
    pub dedup_window_ms: i64,
    /// The records to skip.
    pub skips: Skips,
}

/// What the pipeline yields.
pub struct Citylens<'scope, T: Timestamp + Lattice> {
    /// Tracks to write and to send on.
    pub tracks: Stream<'scope, T, SharedBatch<Track>>,
    /// Frames to write and to send on.
    pub frames: Stream<'scope, T, SharedBatch<Frame>>,
    /// Detections to write.
    pub detections: Stream<'scope, T, SharedBatch<Detection>>,
    /// Records set aside.
    pub dead_letters: StreamVec<'scope, T, DeadLetter>,
    /// Partitions that stand still, and why.
    pub stalls: StreamVec<'scope, T, Stall>,
    /// Tracks whose mapping a record waits for.
    pub missing: StreamVec<'scope, T, String>,
    /// What becomes of those that wait for a mapping, or were skipped.
    pub barriers: StreamVec<'scope, T, Barrier>,
    /// What became of records.
    pub counts: StreamVec<'scope, T, Counts>,
    /// The mapping, for any other pipeline that looks tracks up.
    pub mapping: Mapping<'scope, T>,
}

/// Builds the pipeline from `records` and the mapping rows that are `stored` already; `settle` yields the row that stands
/// for each track of which an event came.
pub fn build<'scope, T: Timestamp + Lattice + TotalOrder, B: Records>(
    records: Stream<'scope, T, B>,
    stored: Proposals<'scope, T>,
    settle: impl FnOnce(Stream<'scope, T, Batch<Track>>) -> Proposals<'scope, T>,
    settings: &Settings,
) -> Citylens<'scope, T> {
    let decoded = records.decode(settings);
    let tracks = decoded.tracks.exchange_by(owner_of::<Track>);
    let mapping = mapping::arrange(stored, settle(tracks.clone()));

    let skipped = decoded.skipped.clone().broadcast();
    let known = (&mapping, skipped, settings.dedup_window_ms);
    let tracks = settled(tracks, known.clone());
    let frames = settled(decoded.frames.exchange_by(owner_of::<Frame>), known.clone());
    let detections = settled(decoded.detections.exchange_by(owner_of::<Detection>), known);

    let scope = decoded.stalls.scope();
    let skipped = decoded.skipped.map(Barrier::Lifted);
    Citylens {
        tracks: tracks.rows,
        frames: frames.rows,
        detections: detections.rows,
        dead_letters: decoded.dead_letters,
        stalls: scope.concatenate([decoded.stalls, tracks.stalls, frames.stalls, detections.stalls]),
        missing: scope.concatenate([tracks.missing, frames.missing, detections.missing]),
        barriers: scope.concatenate([skipped, tracks.barriers, frames.barriers, detections.barriers]),
        counts: scope.concatenate([decoded.counts, tracks.counts, frames.counts, detections.counts]),
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
