//! What an epoch changes, all in one: a store that keeps it whole can be gone on from.

use serde::{Deserialize, Serialize};

use super::visits::TravelerChange;
use super::windows::WindowChange;
use crate::alerts;
use crate::marks::Mark;
use crate::readings::Movement;

/// What an epoch changes, in tables and in what a later run is to go on from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// Of `sensor_travelers`.
    pub travelers: Vec<TravelerChange>,
    /// Of `sensor_windows`.
    pub windows: Vec<WindowChange>,
    /// Readings that count from now on; of one sensor, traveller and instant the last.
    pub readings: Vec<Movement>,
    /// Visits that nothing can change any more: their readings are no longer needed.
    pub ended: Vec<Ended>,
    /// How far reading has come.
    pub marks: Vec<Mark>,
    /// What that changes of alerts.
    pub alerts: alerts::changes::Changes,
}

/// Says that a traveller's readings at a sensor are no longer needed up to one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// The sensor.
    pub sensor_id: i64,
    /// Who was seen.
    pub traveler_id: String,
    /// The last reading that is not needed, ms since the epoch.
    pub left_at: i64,
}

/// What a store has kept of [`Changes`], for a run to go on from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Stored {
    /// A reading that counts.
    Reading(Movement),
    /// How far reading had come.
    Mark(Mark),
}

impl Changes {
    /// How many things change.
    pub fn len(&self) -> usize {
        let rows = self.travelers.len() + self.windows.len();
        rows + self.readings.len() + self.ended.len() + self.marks.len() + self.alerts.len()
    }

    /// Whether nothing does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds what another worker's sensors change.
    pub fn merge(&mut self, mut other: Changes) {
        self.travelers.append(&mut other.travelers);
        self.windows.append(&mut other.windows);
        self.readings.append(&mut other.readings);
        self.ended.append(&mut other.ended);
        self.marks.append(&mut other.marks);
    }
}
