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
use hexflow_operators::hold_back::{Barrier, HoldBack};
use hexflow_operators::lookup::Lookup;
use hexflow_operators::share::{Share, SharedBatch, Unshare};
use hexflow_operators::upsert::Upsert;
use hexflow_operators::{Batch, ExchangeBy};
use timely::dataflow::operators::Concatenate;
use timely::dataflow::operators::vec::Map;
use timely::dataflow::{Stream, StreamVec};
use timely::order::TotalOrder;
use timely::progress::Timestamp;

use crate::counts::Counts;
use crate::decode::{DeadLetter, Decode, OnMalformed, Stall};
use crate::mapping::{self, Mapping, Proposals};
use crate::record::Records;
use crate::rows::{Detection, Entity, Frame, Track, owner};
use crate::stalls::missing_mapping;

/// What the pipeline is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The environment whose messages count.
    pub env: String,
    /// What becomes of a malformed record.
    pub on_malformed: OnMalformed,
    /// How long primary keys are remembered, ms of event time.
    pub dedup_window_ms: i64,
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
    /// What becomes of those that wait for a mapping.
    pub barriers: StreamVec<'scope, T, Barrier>,
    /// What became of records.
    pub counts: StreamVec<'scope, T, Counts>,
    /// The mapping, for any other pipeline that looks tracks up.
    pub mapping: Mapping<'scope, T>,
}

/// Builds the pipeline from `records` and the mapping rows that are `stored` already.
pub fn build<'scope, T: Timestamp + Lattice + TotalOrder, B: Records>(
    records: Stream<'scope, T, B>,
    stored: Proposals<'scope, T>,
    settings: &Settings,
) -> Citylens<'scope, T> {
    let decoded = records.decode(&settings.env, settings.on_malformed);
    let tracks = decoded.tracks.exchange_by(owner_of::<Track>);
    let mapping = mapping::arrange(stored, tracks.clone());

    let window_ms = settings.dedup_window_ms;
    let tracks = settle(tracks, &mapping, window_ms);
    let frames = settle(decoded.frames.exchange_by(owner_of::<Frame>), &mapping, window_ms);
    let detections = settle(decoded.detections.exchange_by(owner_of::<Detection>), &mapping, window_ms);

    let scope = decoded.stalls.scope();
    Citylens {
        tracks: tracks.rows,
        frames: frames.rows,
        detections: detections.rows,
        dead_letters: decoded.dead_letters,
        stalls: scope.concatenate([decoded.stalls, tracks.stalls, frames.stalls, detections.stalls]),
        barriers: scope.concatenate([tracks.barriers, frames.barriers, detections.barriers]),
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
    barriers: StreamVec<'scope, T, Barrier>,
    counts: StreamVec<'scope, T, Counts>,
}

fn settle<'scope, T: Timestamp + Lattice + TotalOrder, R: Entity>(
    rows: Stream<'scope, T, Batch<R>>,
    mapping: &Mapping<'scope, T>,
    window_ms: i64,
) -> Settled<'scope, T, R> {
    let found = rows.lookup(mapping.clone(), R::track_key, R::position, R::set_axion);
    let upserts = found.hits.hold_back(found.barriers.clone(), R::position).upsert(window_ms, R::candidate);
    Settled {
        rows: upserts.rows.share(),
        stalls: missing_mapping(found.missed),
        barriers: found.barriers,
        // Rows that go on are counted where they are written.
        counts: upserts.tallies.map(|tally| Counts { upserts: 0, ..Counts::from(tally) }),
    }
}
