//! The sensors of a worker: visits, windows over them, and what both change in an epoch.

use hexflow_operators::Batch;
use hexflow_operators::sweep::Sweep;
use hexflow_operators::upsert::Tally;

use super::Settings;
use super::changes::Changes;
use super::visits::{Visits, arrival};
use super::windows::Windows;
use crate::readings::Movement;
use crate::rows::text;

/// The sensors of a worker.
pub(super) struct State {
    pub(super) visits: Visits,
    windows: Windows,
    readings: Vec<Movement>,
    tally: Tally,
    settings: Settings,
    sweep: Sweep,
}

impl State {
    pub(super) fn new(settings: Settings) -> Self {
        let Settings { slides, visit_gap_ms, lateness } = settings;
        let horizon_ms = lateness.lateness_ms.saturating_add(visit_gap_ms).saturating_add(slides.window_ms());
        State {
            visits: Visits::new(slides, visit_gap_ms),
            windows: Windows::new(slides),
            readings: Vec::new(),
            tally: Tally::default(),
            settings,
            sweep: Sweep::new(horizon_ms),
        }
    }

    /// Takes up what a store kept. What follows from it is there already: nobody is told.
    pub(super) fn restore(&mut self, mut readings: Vec<Movement>) {
        readings.sort_unstable_by_key(|reading| reading.at_ms);
        let mut batch = Batch::default();
        readings.iter().for_each(|reading| batch.push(reading));
        self.add(&batch);
        let _ = self.tell();
    }

    pub(super) fn add(&mut self, batch: &Batch<Movement>) {
        for row in batch.iter() {
            let changed = self.visits.add(row, &mut self.windows);
            self.tally.upserts += u64::from(changed);
            self.tally.duplicates += u64::from(!changed);
            if changed {
                self.readings.push(Movement {
                    arrival: arrival(row.arrival),
                    sensor_id: *row.sensor_id,
                    traveler_id: text(row.traveler_id).to_owned(),
                    traveler_type: text(row.traveler_type).to_owned(),
                    x: *row.x,
                    y: *row.y,
                    at_ms: *row.at_ms,
                });
            }
        }
    }

    /// What has changed since it was last asked, and what became of readings.
    pub(super) fn tell(&mut self) -> (Changes, Tally) {
        let mut changes = Changes { readings: std::mem::take(&mut self.readings), ..Changes::default() };
        self.visits.tell(&mut changes.travelers, &mut self.windows);
        self.windows.tell(|change| changes.windows.push(change));
        (changes, std::mem::take(&mut self.tally))
    }

    /// Forgets what no reading at or after the floor can change, and says so in `changes`.
    pub(super) fn forget(&mut self, floor_ms: i64, changes: &mut Changes) {
        if self.sweep.is_due(floor_ms) {
            let gap_ms = self.settings.visit_gap_ms;
            self.visits.forget(floor_ms, &mut changes.ended);
            // A reading may close the gap before it, and so cover windows as far back.
            self.windows.forget(floor_ms.saturating_sub(gap_ms));
        }
    }
}
