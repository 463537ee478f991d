//! The message `camera-detection`: what a camera recognised.

use std::fmt::{self, Write};

use hexflow_dataflows::messages::topic::Topic;

use super::courier::Reading;
use super::items;
use crate::generate::envelope::Cause;
use crate::generate::summary::Words;

/// What a camera recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CameraDetection {
    /// When, ms since the epoch.
    pub(super) at_ms: i64,
    /// Where the camera stands.
    pub(super) location_oid: i64,
    /// The camera.
    pub(super) camera_oid: i64,
    /// Names the detection.
    pub(super) detection_oid: i64,
    /// The number of the item.
    pub(super) item: u64,
}

impl Reading for CameraDetection {
    const TOPICS: &'static [Topic; 1] = &[Topic::CameraDetections];
    const WORDS: Words =
        Words { topics: &["camera detections"], causes: &[(Cause::Duplicate, "duplicates"), (Cause::Late, "late")] };

    fn at_ms(&self) -> i64 {
        self.at_ms
    }

    fn place(&self) -> i64 {
        self.location_oid
    }

    fn write(&self, payload: &mut String) -> fmt::Result {
        write!(payload, "{{\"geographical_location_oid\":{}", self.location_oid)?;
        write!(payload, ",\"video_camera_oid\":{}", self.camera_oid)?;
        write!(payload, ",\"detection_oid\":{},\"item_name\":\"", self.detection_oid)?;
        items::write(payload, self.item)?;
        write!(payload, "\",\"timestamp_detected\":{}}}", self.at_ms)
    }
}
