//! Windows as rules see them, whatever pipeline they are of.

use std::sync::Arc;

use super::changes::Changes;
use super::figure::{Figure, Part};
use crate::cameras::counts::CountChange;
use crate::marks::Mark;
use crate::sensors::windows::WindowChange;
use crate::{cameras, sensors};

/// A change of a row of windows.
pub trait Row: 'static {
    /// Sensor or location, type or item, and when the window ends, ms since the epoch; windows that do not overlap are as long
    /// as `step_ms`, from one end to the next.
    fn key(&self, step_ms: i64) -> (i64, &Arc<str>, i64);
    /// What it says of a figure; nothing if the row is gone.
    fn part(&self, figure: Figure) -> Option<Part>;
}

/// What an epoch changes of a pipeline.
pub trait Epoch: Default + Clone + 'static {
    /// Its windows.
    type Row: Row;
    /// Those that change.
    fn windows(&self) -> &[Self::Row];
    /// How far reading has come.
    fn marks(&self) -> &[Mark];
    /// Where it is said what that changes of alerts.
    fn alerts(&mut self) -> &mut Changes;
}

impl Row for WindowChange {
    fn key(&self, _step_ms: i64) -> (i64, &Arc<str>, i64) {
        (self.key.sensor_id, &self.key.traveler_type, self.key.window_end)
    }

    fn part(&self, figure: Figure) -> Option<Part> {
        self.row.as_ref().and_then(|row| figure.of_sensors(row))
    }
}

impl Row for CountChange {
    fn key(&self, step_ms: i64) -> (i64, &Arc<str>, i64) {
        (self.key.geographical_location_oid, &self.key.item_name, self.key.window_start.saturating_add(step_ms))
    }

    fn part(&self, figure: Figure) -> Option<Part> {
        self.row.and_then(|row| figure.of_cameras(row))
    }
}

impl Epoch for sensors::changes::Changes {
    type Row = WindowChange;

    fn windows(&self) -> &[WindowChange] {
        &self.windows
    }

    fn marks(&self) -> &[Mark] {
        &self.marks
    }

    fn alerts(&mut self) -> &mut Changes {
        &mut self.alerts
    }
}

impl Epoch for cameras::changes::Changes {
    type Row = CountChange;

    fn windows(&self) -> &[CountChange] {
        &self.windows
    }

    fn marks(&self) -> &[Mark] {
        &self.marks
    }

    fn alerts(&mut self) -> &mut Changes {
        &mut self.alerts
    }
}
