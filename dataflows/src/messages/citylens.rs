//! The three citylens topics: tracks, frames, detections.

use serde::{Deserialize, Serialize};

use super::gps::Gps;
use super::object::object;
use super::value::{BoundingBox, Finite, Fraction, Heading, Id, LatLon, Location, Text, TrackStatus};
use crate::time::Instant;

/// `citylens-track`: a vehicle's track began, goes on, or ended.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Track<'a> {
    /// Citylens track id.
    #[serde(borrow)]
    pub track_id: Id<'a>,
    /// Where the track is in its life.
    pub status: TrackStatus,
    /// The recording device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<Id<'a>>,
    /// When it began.
    pub started_at: Instant,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Instant>,
    /// Length so far, m.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance_meters: Option<Finite>,
    /// The version: the newest wins.
    pub updated_at: Instant,
}

/// `citylens-frame`: a camera frame of a track.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Frame<'a> {
    /// The frame's id.
    #[serde(borrow)]
    pub frame_id: Id<'a>,
    /// Citylens track id.
    pub track_id: Id<'a>,
    /// Counts the track's frames.
    pub sequence: u32,
    /// When it was taken.
    pub captured_at: Instant,
    /// Where it was taken.
    #[serde(deserialize_with = "object")]
    pub location: Location,
    /// Degrees clockwise from north.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heading: Option<Heading>,
    /// m/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<Finite>,
    /// Where the image lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_url: Option<Text<'a>>,
    /// Detailed GPS.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub gps: Option<Gps<'a>>,
    /// The version: the newest wins.
    pub updated_at: Instant,
}

/// `citylens-detection`: something a detector saw in a frame.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Detection<'a> {
    /// The detection's id.
    #[serde(borrow)]
    pub detection_id: Id<'a>,
    /// The frame it was seen in.
    pub frame_id: Id<'a>,
    /// Citylens track id.
    pub track_id: Id<'a>,
    /// What saw it.
    pub detector: Text<'a>,
    /// What it is.
    pub class_name: Text<'a>,
    /// How sure, 0 to 1.
    pub confidence: Fraction,
    /// Where in the image.
    #[serde(deserialize_with = "object")]
    pub bbox: BoundingBox,
    /// Where on the ground.
    #[serde(deserialize_with = "object")]
    pub location: LatLon,
    /// When it was seen.
    pub detected_at: Instant,
    /// The version: the newest wins.
    pub updated_at: Instant,
}
