//! What cameras see: each detection once, with its location's name, and counts by location, item and tumbling window.
//!
//! ```text
//!  detections -- watermark -- by detection -- first occurrence --+-- names of locations ------> camera_detections
//!                    |                            locations -----|--------^
//!                    +-- late                                    +-- counts, by item -- sum --> camera_windows
//!                                                                 +-- settled rows
//! ```
//!
//! Of the occurrences of a detection the one that arrived first stands, whatever it says; should it be seen after a later
//! one, it takes that one's place, in the windows too. A detection at an unknown location is kept without a name, and
//! counted; it is named when the location appears, as long as the detection is not below the watermark's floor.
//!
//! An epoch yields all its changes as one: see [`changes`]. The tables themselves are what a later run goes on from.

pub mod changes;
pub mod counts;
pub mod detections;
pub mod settle;

#[cfg(test)]
mod restart_tests;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use columnar::Index;
use hexflow_operators::each_epoch::EachEpoch;
use hexflow_operators::hash::Content;
use hexflow_operators::sweep::Sweep;
use hexflow_operators::watermark::Lateness;
use hexflow_operators::{Batch, ExchangeBy};
use serde::{Deserialize, Serialize};
use timely::dataflow::channels::pact::{Exchange as ByKey, Pipeline};
use timely::dataflow::operators::vec::{Broadcast, Map};
use timely::dataflow::operators::{Concat, Exchange};
use timely::dataflow::{Stream, StreamVec};
use timely::order::TotalOrder;
use timely::progress::Timestamp;

use self::changes::{Changes, Stored, StoredDetection};
use self::counts::{CountChange, Counts as Windows, Part};
use self::detections::{DetectionChange, Detections};
use self::settle::{Came, Settled, Steps};
use crate::counts::{CountLate, Counts};
use crate::marks::{self, Mark};
use crate::readings::CameraDetection;
use crate::sensors::visits::arrival;

/// What the pipeline is told.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Length of a window, ms; at least 1.
    pub window_ms: i64,
    /// How late detections may be: keys, rows and windows are remembered as long.
    pub lateness: Lateness,
    /// Whether there is a set of locations, be it empty: without one what is stored keeps the names that it has.
    pub has_locations: bool,
    /// When rows are settled, if anybody keeps those: see [`settle`].
    pub settle: Option<Steps>,
}

/// A difference of the static set: a location's oid and name came (1) or went (-1).
pub type LocationChange = ((i64, String), isize);

/// What the pipeline yields.
pub struct Cameras<'scope, T: Timestamp> {
    /// What each epoch changes, on the first worker: one item an epoch, in order.
    pub changes: StreamVec<'scope, T, Changes>,
    /// Detections that came too late: they changed nothing.
    pub late: Stream<'scope, T, Batch<CameraDetection>>,
    /// Rows that nothing changes any more. Whoever keeps them does so before the changes of their epoch are stored.
    pub settled: StreamVec<'scope, T, Arc<Settled>>,
    /// What became of detections: `upserts` changed something, `duplicates` are repeats; and how many more than before are
    /// `unlocated`.
    pub counts: StreamVec<'scope, T, Counts>,
}

/// Builds the pipeline from detections and the differences of the locations, each of which may come on any one worker.
///
/// A partition's detections must come on one worker, in their order, at times behind that of what was `stored`.
pub fn build<'scope, T: Timestamp + TotalOrder>(
    detections: Stream<'scope, T, Batch<CameraDetection>>,
    locations: StreamVec<'scope, T, LocationChange>,
    stored: StreamVec<'scope, T, Stored>,
    settings: Settings,
) -> Cameras<'scope, T> {
    let lateness_ms = settings.lateness.lateness_ms;
    let restored = Restored::of(stored);
    let marked = marks::marked(detections, restored.marks.clone(), settings.lateness, move |columns, row| {
        arrival(columns.arrival.get(row)).stamp(columns.detected_ms[row], lateness_ms)
    });
    let (floors, rows) = (marked.floors.clone(), marked.rows.clone());
    let came = Came { floors, rows, restored: restored.detections.clone(), marks: restored.marks };
    let settles = settle::settles(came, settings.settle);
    let words = marked.floors.clone().map(Word::Floor).concat(settles.times.map(Word::Settle));
    let words = words.concat(locations.broadcast().map(Word::Location));
    let rows = marked.rows.exchange_by(|columns, row| spread(columns.detection_oid[row]));
    let (detections, others) = firsts(rows, words.concat(restored.detections.map(Word::Stored)), settings);
    let parts = others.clone().flat_map(|other| if let Other::Part(part) = other { Some(part) } else { None });
    let settled = others.clone().flat_map(|other| if let Other::Settled(rows) = other { Some(rows) } else { None });
    let counts = others.flat_map(|other| if let Other::Counts(counts) = other { Some(counts) } else { None });
    let said = marked.floors.map(Said::Floor).concat(restored.windows.map(Said::Stored));
    let windows = counted(parts, said, settings);
    Cameras {
        changes: gathered(detections, windows, marked.marks.concat(settles.marks)),
        counts: counts.concat(marked.late.clone().count_late()),
        late: marked.late,
        settled,
    }
}

/// What was stored, each at the worker that goes on with it.
struct Restored<'scope, T: Timestamp> {
    detections: StreamVec<'scope, T, StoredDetection>,
    windows: StreamVec<'scope, T, Part>,
    marks: StreamVec<'scope, T, Mark>,
}

impl<'scope, T: Timestamp> Restored<'scope, T> {
    fn of(stored: StreamVec<'scope, T, Stored>) -> Self {
        let detections = |stored| if let Stored::Detection(row) = stored { Some(row) } else { None };
        let windows = |stored| match stored {
            Stored::Window(location, item, start_ms, diff) => Some(Part { location, item, start_ms, diff }),
            Stored::Detection(_) | Stored::Mark(_) => None,
        };
        let marks = |stored| if let Stored::Mark(mark) = stored { Some(mark) } else { None };
        let detections = stored.clone().flat_map(detections);
        Restored {
            detections: detections.exchange(|row: &StoredDetection| spread(row.detection.detection_oid)),
            windows: stored.clone().flat_map(windows).exchange(owner),
            marks: stored.flat_map(marks),
        }
    }
}

/// Ids may be multiples of the number of workers.
fn spread(detection_oid: i64) -> u64 {
    detection_oid.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}

/// Who sums a location's item.
fn owner(part: &Part) -> u64 {
    Content::default().bits(part.location.cast_unsigned()).text(&part.item).finish()
}

/// Each detection once, located; and what a worker counts.
fn firsts<'scope, T: Timestamp + TotalOrder>(
    rows: Stream<'scope, T, Batch<CameraDetection>>,
    words: StreamVec<'scope, T, Word>,
    settings: Settings,
) -> (StreamVec<'scope, T, DetectionChange>, StreamVec<'scope, T, Other>) {
    let mut state = Detections::new(settings);
    let mut sweep = Sweep::new(settings.lateness.lateness_ms);
    rows.each_epoch(Pipeline, "FirstOccurrence", words, move |batches, words, changes, others| {
        batches.iter().for_each(|batch| state.add(batch));
        let (mut floor, mut settled) = (None, None);
        for word in words.drain(..) {
            match word {
                Word::Location(((oid, name), diff)) => state.locate(oid, name, diff),
                Word::Floor(floor_ms) => floor = floor.max(Some(floor_ms)),
                Word::Settle(upto_ms) => settled = settled.max(Some(upto_ms)),
                Word::Stored(row) => state.restore(row),
            }
        }
        state.tell(changes, others);
        others.extend(settled.and_then(|upto_ms| state.settle(upto_ms)).map(Other::Settled));
        if let Some(floor_ms) = floor {
            state.raise(floor_ms);
            if sweep.is_due(floor_ms) {
                state.sweep();
            }
        }
    })
}

/// Sums what workers counted.
fn counted<'scope, T: Timestamp + TotalOrder>(
    parts: StreamVec<'scope, T, Part>,
    said: StreamVec<'scope, T, Said>,
    settings: Settings,
) -> StreamVec<'scope, T, CountChange> {
    let mut counts = Windows::new(settings.window_ms);
    let mut sweep = Sweep::new(settings.lateness.lateness_ms);
    let summed = parts.each_epoch(ByKey::new(owner), "CameraWindows", said, {
        move |parts, said, changes, _nothing: &mut Vec<()>| {
            let (mut stored, mut floor) = (Vec::new(), None);
            for said in said.drain(..) {
                match said {
                    Said::Stored(part) => stored.push(part),
                    Said::Floor(floor_ms) => floor = floor.max(Some(floor_ms)),
                }
            }
            counts.restore(stored);
            parts.drain(..).flatten().for_each(|part| counts.add(part));
            counts.tell(|change| changes.push(change));
            let floor = floor.filter(|floor_ms| sweep.is_due(*floor_ms));
            floor.into_iter().for_each(|floor_ms| counts.forget(floor_ms));
        }
    });
    summed.0
}

/// All that an epoch changes, as one, on the first worker.
fn gathered<'scope, T: Timestamp + TotalOrder>(
    detections: StreamVec<'scope, T, DetectionChange>,
    windows: StreamVec<'scope, T, CountChange>,
    marks: StreamVec<'scope, T, Mark>,
) -> StreamVec<'scope, T, Changes> {
    let all = detections.map(One::Detection).concat(windows.map(One::Window));
    let gathered = all.each_epoch(ByKey::new(|_: &One| 0), "CameraChanges", marks, {
        |all, marks, gathered, _nothing: &mut Vec<()>| {
            let mut changes = Changes { marks: std::mem::take(marks), ..Changes::default() };
            for one in all.drain(..).flatten() {
                match one {
                    One::Detection(change) => changes.detections.push(change),
                    One::Window(change) => changes.windows.push(change),
                }
            }
            gathered.push(changes);
        }
    });
    gathered.0
}

/// What is said beside detections.
#[derive(Clone, Debug)]
enum Word {
    Floor(i64),
    Settle(i64),
    Location(LocationChange),
    Stored(StoredDetection),
}

/// What is said beside what workers count.
#[derive(Clone, Debug)]
enum Said {
    Floor(i64),
    Stored(Part),
}

/// A change of one table.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum One {
    Detection(DetectionChange),
    Window(CountChange),
}

/// What an epoch yields beside changes of detections.
#[derive(Clone, Debug)]
pub enum Other {
    /// What a worker counted.
    Part(Part),
    /// What became of rows.
    Counts(Counts),
    /// Rows that nothing changes any more.
    Settled(Arc<Settled>),
}
