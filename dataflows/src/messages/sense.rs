//! What goes on to the sense, clusterization and audit topics; ids of tracks are axion's here.

use serde::Serialize;

use super::value::{BoundingBox, Location};
use crate::time::Instant;

/// `track` on axion.sense.track.metadata.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Track<'a> {
    /// Axion track id.
    pub track_id: &'a str,
    /// Where the track is in its life.
    pub status: &'a str,
    /// When it began.
    pub started_at: Instant,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Instant>,
    /// Length so far, m.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance_meters: Option<f64>,
    /// The recording device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<&'a str>,
    /// The version: the newest wins.
    pub updated_at: Instant,
}

/// `frame` on axion.sense.track.metadata.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Frame<'a> {
    /// The frame's id.
    pub frame_id: &'a str,
    /// Axion track id.
    pub track_id: &'a str,
    /// Counts the track's frames.
    pub sequence: u32,
    /// When it was taken.
    pub captured_at: Instant,
    /// Where it was taken.
    pub location: Location,
    /// Degrees clockwise from north.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heading: Option<f64>,
    /// m/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
    /// Where the image lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_url: Option<&'a str>,
    /// The object that holds the detailed GPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detailed_gps: Option<&'a str>,
    /// The version: the newest wins.
    pub updated_at: Instant,
}

/// `clusterization-request`, keyed by the H3 resolution-2 cell.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterizationRequest<'a> {
    /// The detection's id.
    pub detection_id: &'a str,
    /// The frame it was seen in.
    pub frame_id: &'a str,
    /// Axion track id.
    pub track_id: &'a str,
    /// What saw it.
    pub detector: &'a str,
    /// What it is.
    pub class_name: &'a str,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// Where in the image.
    pub bbox: BoundingBox,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// H3 resolution-2 cell, 15 hex digits.
    pub cell: &'a str,
    /// When it was seen.
    pub detected_at: Instant,
    /// The version: the newest wins.
    pub updated_at: Instant,
    /// Which pipeline sends it.
    pub source: &'a str,
}

/// `audit-event` on axion.sense.audit.events.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent<'a> {
    /// The request that caused the write.
    pub request_id: &'a str,
    /// The tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org_id: Option<&'a str>,
    /// `track`, `frame` or `detection`.
    pub entity: &'a str,
    /// Its primary key.
    pub entity_id: &'a str,
    /// What was done: `upsert`.
    pub action: &'a str,
    /// Which pipeline did it.
    pub source: &'a str,
    /// The version that was written; taken from the record, so that a repeat is identical.
    pub at: Instant,
}
