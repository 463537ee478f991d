//! Speeds of travellers at sensors: visits, and rolling windows over them.
//!
//! ```text
//!  movements -- watermark -- by sensor -- visits -----------------> sensor_travelers
//!                   |                       +-- steps, presence --> sensor_windows
//!                   +-- late
//! ```
//!
//! Successive readings of a traveller at a sensor, no more than the gap apart, are of one visit; each after the first makes a
//! speed sample at its instant, distance over time. A window [end - window, end) holds the samples in it, each under the
//! type of its visit, and counts each traveller with a visit that touches it, entrance and exit included, once a type.
//!
//! Visits and windows are state of one operator, told of an epoch at once: see [`visits`] and [`windows`]. An epoch yields one
//! change a changed key, and all its changes as one: see [`changes`]. With them go the readings that state is made of, so
//! that a later run takes up what a store kept and goes on as if there had been no stop.

pub mod changes;
mod state;
pub mod visits;
pub mod windows;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod restart_tests;
#[cfg(test)]
mod tests;

use columnar::Index;
use hexflow_operators::each_epoch::EachEpoch;
use hexflow_operators::slides::Slides;
use hexflow_operators::watermark::Lateness;
use hexflow_operators::{Batch, ExchangeBy};
use timely::dataflow::channels::pact::{Exchange as ByKey, Pipeline};
use timely::dataflow::operators::vec::Map;
use timely::dataflow::operators::{Concat, Exchange};
use timely::dataflow::{Stream, StreamVec};
use timely::order::TotalOrder;
use timely::progress::Timestamp;

use self::changes::{Changes, Stored};
use self::state::State;
use crate::counts::{CountLate, Counts};
use crate::marks;
use crate::readings::Movement;

/// What the pipeline is told.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The windows: length and slide.
    pub slides: Slides,
    /// The longest silence within a visit, ms of event time.
    pub visit_gap_ms: i64,
    /// How late readings may be: state is kept as long.
    pub lateness: Lateness,
}

/// What the pipeline yields.
pub struct Sensors<'scope, T: Timestamp> {
    /// What each epoch changes, on the first worker: one item an epoch, in order.
    pub changes: StreamVec<'scope, T, Changes>,
    /// Readings that came too late: they changed nothing.
    pub late: Stream<'scope, T, Batch<Movement>>,
    /// What became of readings: `upserts` changed something, `duplicates` nothing.
    pub counts: StreamVec<'scope, T, Counts>,
}

/// Builds the pipeline. A partition's movements must come on one worker, in their order, at times behind that of what was
/// `stored`.
pub fn build<'scope, T: Timestamp + TotalOrder>(
    movements: Stream<'scope, T, Batch<Movement>>,
    stored: StreamVec<'scope, T, Stored>,
    settings: Settings,
) -> Sensors<'scope, T> {
    let lateness_ms = settings.lateness.lateness_ms;
    let restored = stored.clone().flat_map(|stored| if let Stored::Mark(mark) = stored { Some(mark) } else { None });
    let readings = stored.flat_map(|stored| if let Stored::Reading(reading) = stored { Some(reading) } else { None });
    let marked = marks::marked(movements, restored, settings.lateness, move |columns, row| {
        visits::arrival(columns.arrival.get(row)).stamp(columns.at_ms[row], lateness_ms)
    });
    let readings = readings.exchange(|reading: &Movement| spread(reading.sensor_id));
    let words = marked.floors.map(Word::Floor).concat(readings.map(Word::Stored));
    let mut state = State::new(settings);
    let (changes, tallies) = marked.rows.exchange_by(|columns, row| spread(columns.sensor_id[row])).each_epoch(
        Pipeline,
        "Visits",
        words,
        move |batches, words, told, tallies| {
            let (mut stored, mut floor) = (Vec::new(), None);
            for word in words.drain(..) {
                match word {
                    Word::Stored(reading) => stored.push(reading),
                    Word::Floor(floor_ms) => floor = floor.max(Some(floor_ms)),
                }
            }
            if !stored.is_empty() {
                state.restore(stored);
            }
            batches.iter().for_each(|batch| state.add(batch));
            let (mut changes, tally) = state.tell();
            floor.into_iter().for_each(|floor_ms| state.forget(floor_ms, &mut changes));
            if !changes.is_empty() {
                told.push(changes);
            }
            tallies.push(tally);
        },
    );
    let (changes, _) = changes.each_epoch(ByKey::new(|_: &Changes| 0), "SensorChanges", marked.marks, {
        |parts, marks, all, _: &mut Vec<()>| {
            let mut changes = Changes { marks: std::mem::take(marks), ..Changes::default() };
            parts.drain(..).flatten().for_each(|part| changes.merge(part));
            all.push(changes);
        }
    });
    let counts = tallies.map(Counts::from).concat(marked.late.clone().count_late());
    Sensors { changes, late: marked.late, counts }
}

/// What is said to visits beside new readings.
#[derive(Clone, Debug)]
enum Word {
    Floor(i64),
    Stored(Movement),
}

/// Sensors' ids may be multiples of the number of workers.
fn spread(sensor_id: i64) -> u64 {
    sensor_id.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}
