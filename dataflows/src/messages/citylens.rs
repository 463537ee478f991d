//! The three citylens topics: tracks, frames, detections.

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::object::object;
use super::value::{
    BoundingBox, Finite, Fraction, Heading, Id, LatLon, Latitude, Location, Longitude, Text, TrackStatus,
};
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
    /// Detailed GPS: a list of [`GpsPoint`], kept as the text it is; [`check_gps`] reads it.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub gps: Option<&'a RawValue>,
    /// The version: the newest wins.
    pub updated_at: Instant,
}

/// One fix of a frame's detailed GPS.
#[derive(Debug, Serialize, Deserialize)]
pub struct GpsPoint {
    /// When.
    pub at: Instant,
    /// Degrees north.
    pub lat: Latitude,
    /// Degrees east.
    pub lon: Longitude,
    /// Metres above the ellipsoid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub altitude: Option<Finite>,
    /// Radius of confidence, m.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<Finite>,
    /// m/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<Finite>,
    /// Degrees clockwise from north.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heading: Option<Heading>,
}

#[derive(Deserialize)]
struct Point(
    #[serde(deserialize_with = "object")]
    #[expect(dead_code, reason = "read to be checked")]
    GpsPoint,
);

/// Checks each point of a frame's `gps` without keeping any.
pub fn check_gps(gps: &RawValue) -> Result<(), serde_json::Error> {
    struct Points;
    impl<'de> Visitor<'de> for Points {
        type Value = ();
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a list of gps points")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut points: A) -> Result<(), A::Error> {
            while points.next_element::<Point>()?.is_some() {}
            Ok(())
        }
    }
    serde_json::Deserializer::from_str(gps.get()).deserialize_seq(Points)
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
