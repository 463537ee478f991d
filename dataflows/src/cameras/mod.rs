//! What cameras see: each detection once, with its location's name, and counts by location, item and tumbling window.
//!
//! ```text
//!  detections -- watermark -- by detection -- first occurrence --+-- names of locations ------> camera_detections
//!                    |                            locations -----|--------^
//!                    +-- late                                    +-- counts, by item -- sum --> camera_windows
//! ```
//!
//! Of the occurrences of a detection the one that arrived first stands, whatever it says; should it be seen after a later
//! one, it takes that one's place, in the windows too. A detection at an unknown location is kept without a name, and
//! counted; it is named when the location appears, as long as the detection is not below the watermark's floor.

pub mod counts;
pub mod detections;

#[cfg(test)]
mod tests;

use columnar::Index;
use hexflow_operators::each_epoch::EachEpoch;
use hexflow_operators::hash::Content;
use hexflow_operators::sweep::Sweep;
use hexflow_operators::upsert::Tally;
use hexflow_operators::watermark::{Lateness, Watermark};
use hexflow_operators::{Batch, ExchangeBy};
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::Concat;
use timely::dataflow::operators::vec::{Broadcast, Map};
use timely::dataflow::{Stream, StreamVec};
use timely::order::TotalOrder;
use timely::progress::Timestamp;

use self::counts::{CountChange, Counts, Part};
use self::detections::{DetectionChange, Detections};
use crate::arrivals::Arrivals;
use crate::readings::CameraDetection;
use crate::sensors::visits::arrival;

/// What the pipeline is told.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Length of a window, ms; at least 1.
    pub window_ms: i64,
    /// How late detections may be: keys, rows and windows are remembered as long.
    pub lateness: Lateness,
}

/// A difference of the static set: a location's oid and name came (1) or went (-1).
pub type LocationChange = ((i64, String), isize);

/// What the pipeline yields.
pub struct Cameras<'scope, T: Timestamp> {
    /// Changes of `camera_detections`.
    pub detections: StreamVec<'scope, T, DetectionChange>,
    /// Changes of `camera_windows`.
    pub windows: StreamVec<'scope, T, CountChange>,
    /// Detections that came too late: they are in neither.
    pub late: Stream<'scope, T, Batch<CameraDetection>>,
    /// Detections that changed something (`upserts`), and repeats (`duplicates`).
    pub tallies: StreamVec<'scope, T, Tally>,
}

/// Builds the pipeline from detections and the differences of the locations, each of which may come on any one worker.
///
/// A partition's detections must come on one worker, in their order.
pub fn build<'scope, T: Timestamp + TotalOrder>(
    detections: Stream<'scope, T, Batch<CameraDetection>>,
    locations: StreamVec<'scope, T, LocationChange>,
    settings: Settings,
) -> Cameras<'scope, T> {
    let lateness_ms = settings.lateness.lateness_ms;
    let marked = detections.arrivals().watermark(settings.lateness, move |columns, row| {
        arrival(columns.arrival.get(row)).stamp(columns.detected_ms[row], lateness_ms)
    });
    let words = marked.floors.clone().map(Word::Floor).concat(locations.broadcast().map(Word::Location));
    let mut state = Detections::new(settings.window_ms);
    let mut sweep = Sweep::new(lateness_ms);
    let (detections, others) = marked
        .rows
        .exchange_by(|columns, row| {
            columns.detection_oid[row].cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
        })
        .each_epoch(Pipeline, "FirstOccurrence", words, move |batches, words, changes, others| {
            batches.iter().for_each(|batch| state.add(batch));
            let mut is_swept = false;
            let mut floors = Vec::new();
            for word in words.drain(..) {
                match word {
                    Word::Location(((oid, name), diff)) => state.locate(oid, name, diff),
                    Word::Floor(floor_ms) => floors.push(floor_ms),
                }
            }
            state.tell(changes, others);
            for floor_ms in floors {
                state.raise(floor_ms);
                is_swept |= sweep.is_due(floor_ms);
            }
            if is_swept {
                state.sweep();
            }
        });
    let parts = others.clone().flat_map(|other| if let Other::Part(part) = other { Some(part) } else { None });
    Cameras {
        detections,
        windows: counted(parts, marked.floors, settings),
        late: marked.late,
        tallies: others.flat_map(|other| if let Other::Tally(tally) = other { Some(tally) } else { None }),
    }
}

/// Sums what workers counted.
fn counted<'scope, T: Timestamp + TotalOrder>(
    parts: StreamVec<'scope, T, Part>,
    floors: StreamVec<'scope, T, i64>,
    settings: Settings,
) -> StreamVec<'scope, T, CountChange> {
    let owner = |part: &Part| Content::default().bits(part.0.0.cast_unsigned()).text(&part.0.1).finish();
    let mut counts = Counts::new(settings.window_ms);
    let mut sweep = Sweep::new(settings.lateness.lateness_ms);
    let summed = parts.each_epoch(Exchange::new(owner), "CameraWindows", floors, {
        move |parts, floors, changes, _nothing: &mut Vec<()>| {
            parts.drain(..).flatten().for_each(|part| counts.add(part));
            counts.tell(|change| changes.push(change));
            let floor = floors.drain(..).max().filter(|floor_ms| sweep.is_due(*floor_ms));
            floor.into_iter().for_each(|floor_ms| counts.forget(floor_ms));
        }
    });
    summed.0
}

/// What is said beside detections.
#[derive(Clone, Debug)]
enum Word {
    Floor(i64),
    Location(LocationChange),
}

/// What an epoch yields beside changes of detections.
#[derive(Clone, Debug)]
pub enum Other {
    /// What a worker counted.
    Part(Part),
    /// What became of rows.
    Tally(Tally),
}
