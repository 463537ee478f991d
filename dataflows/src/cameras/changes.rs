//! What an epoch changes, all in one: a store that keeps it whole can be gone on from.

use serde::{Deserialize, Serialize};

use super::counts::CountChange;
use super::detections::DetectionChange;
use crate::alerts;
use crate::marks::Mark;
use crate::readings::CameraDetection;

/// What an epoch changes, in tables and in what a later run is to go on from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// Of `camera_detections`.
    pub detections: Vec<DetectionChange>,
    /// Of `camera_windows`.
    pub windows: Vec<CountChange>,
    /// How far reading has come.
    pub marks: Vec<Mark>,
    /// What that changes of alerts.
    pub alerts: alerts::changes::Changes,
}

/// What a store has kept of [`Changes`], for a run to go on from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Stored {
    /// A row of `camera_detections`.
    Detection(StoredDetection),
    /// A row of `camera_windows`: location, item, the window's start and its count.
    Window(i64, String, i64, i64),
    /// How far reading had come.
    Mark(Mark),
}

/// A row of `camera_detections` as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredDetection {
    /// The detection that stands.
    pub detection: CameraDetection,
    /// The name that its location had.
    pub geographical_location: Option<String>,
}

impl Changes {
    /// How many things change.
    pub fn len(&self) -> usize {
        self.detections.len() + self.windows.len() + self.marks.len() + self.alerts.len()
    }

    /// Whether nothing does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
