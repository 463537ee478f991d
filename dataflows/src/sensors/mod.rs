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
//! change a changed key. Nothing here outlives the process: after a restart what state is to know again must be read again.

pub mod visits;
pub mod windows;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

use columnar::Index;
use hexflow_operators::each_epoch::EachEpoch;
use hexflow_operators::slides::Slides;
use hexflow_operators::sweep::Sweep;
use hexflow_operators::upsert::Tally;
use hexflow_operators::watermark::{Lateness, Watermark};
use hexflow_operators::{Batch, ExchangeBy};
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::vec::Map;
use timely::dataflow::{Stream, StreamVec};
use timely::order::TotalOrder;
use timely::progress::Timestamp;

use self::visits::{TravelerChange, Visits};
use self::windows::{WindowChange, Windows};
use crate::arrivals::Arrivals;
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
    /// Changes of `sensor_travelers`.
    pub travelers: StreamVec<'scope, T, TravelerChange>,
    /// Changes of `sensor_windows`.
    pub windows: StreamVec<'scope, T, WindowChange>,
    /// Readings that came too late: they are in neither.
    pub late: Stream<'scope, T, Batch<Movement>>,
    /// Readings that changed something (`upserts`), and those that changed nothing (`duplicates`).
    pub tallies: StreamVec<'scope, T, Tally>,
}

/// Builds the pipeline. A partition's movements must come on one worker, in their order.
pub fn build<'scope, T: Timestamp + TotalOrder>(
    movements: Stream<'scope, T, Batch<Movement>>,
    settings: Settings,
) -> Sensors<'scope, T> {
    let lateness_ms = settings.lateness.lateness_ms;
    let marked = movements.arrivals().watermark(settings.lateness, move |columns, row| {
        visits::arrival(columns.arrival.get(row)).stamp(columns.at_ms[row], lateness_ms)
    });
    let mut state = State::new(settings);
    let (travelers, others) = marked.rows.exchange_by(|columns, row| spread(columns.sensor_id[row])).each_epoch(
        Pipeline,
        "Visits",
        marked.floors,
        move |batches, floors, travelers, others| {
            batches.iter().for_each(|batch| state.add(batch));
            state.tell(travelers, others);
            floors.drain(..).max().into_iter().for_each(|floor_ms| state.forget(floor_ms));
        },
    );
    Sensors {
        travelers,
        windows: others.clone().flat_map(|other| if let Other::Window(change) = other { Some(change) } else { None }),
        late: marked.late,
        tallies: others.flat_map(|other| if let Other::Tally(tally) = other { Some(tally) } else { None }),
    }
}

/// Sensors' ids may be multiples of the number of workers.
fn spread(sensor_id: i64) -> u64 {
    sensor_id.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}

/// What an epoch yields beside changes of travellers.
#[derive(Clone, Debug)]
enum Other {
    Window(WindowChange),
    Tally(Tally),
}

/// The sensors of a worker.
struct State {
    visits: Visits,
    windows: Windows,
    tally: Tally,
    settings: Settings,
    sweep: Sweep,
}

impl State {
    fn new(settings: Settings) -> Self {
        let Settings { slides, visit_gap_ms, lateness } = settings;
        let horizon_ms = lateness.lateness_ms.saturating_add(visit_gap_ms).saturating_add(slides.window_ms());
        State {
            visits: Visits::new(slides, visit_gap_ms),
            windows: Windows::new(slides),
            tally: Tally::default(),
            settings,
            sweep: Sweep::new(horizon_ms),
        }
    }

    fn add(&mut self, batch: &Batch<Movement>) {
        for row in batch.iter() {
            let changed = self.visits.add(row, &mut self.windows);
            self.tally.upserts += u64::from(changed);
            self.tally.duplicates += u64::from(!changed);
        }
    }

    fn tell(&mut self, travelers: &mut Vec<TravelerChange>, others: &mut Vec<Other>) {
        self.visits.tell(travelers, &mut self.windows);
        self.windows.tell(|change| others.push(Other::Window(change)));
        let tally = std::mem::take(&mut self.tally);
        if tally != Tally::default() {
            others.push(Other::Tally(tally));
        }
    }

    /// Forgets what no reading at or after the floor can change.
    fn forget(&mut self, floor_ms: i64) {
        if self.sweep.is_due(floor_ms) {
            let gap_ms = self.settings.visit_gap_ms;
            self.visits.forget(floor_ms);
            // A reading may close the gap before it, and so cover windows as far back.
            self.windows.forget(floor_ms.saturating_sub(gap_ms));
        }
    }
}
