//! Reads the dumps: an envelope a line, and in it the payload, JSON within JSON.

use crate::row::Detection;
use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::Deserialize;
use std::borrow::Cow;
use uuid::Uuid;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    headers: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    payload: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    detection_id: String,
    frame_id: String,
    track_id: String,
    detector: String,
    class_name: String,
    confidence: f64,
    bbox: Bbox,
    location: Location,
    #[serde(borrow)]
    detected_at: Cow<'a, str>,
    #[serde(borrow)]
    updated_at: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Bbox {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

#[derive(Deserialize)]
struct Location {
    lat: f64,
    lon: f64,
}

#[derive(Deserialize)]
pub struct Mapping {
    pub citylens_track_id: String,
    pub axion_track_id: Uuid,
}

pub fn mapping(line: &[u8]) -> Result<Mapping> {
    sonic_rs::from_slice(line).context("mapping")
}

/// The detection, or none when it is of another environment.
pub fn detection(line: &[u8]) -> Result<Option<Detection>> {
    let envelope: Envelope = sonic_rs::from_slice(line).context("envelope")?;
    let header = |key: &str| {
        let pairs = envelope.headers.chunks_exact(2);
        pairs.filter(|pair| pair[0] == key).map(|pair| &*pair[1]).next()
    };
    if header("env") != Some("prod") {
        return Ok(None);
    }
    let body: Payload = sonic_rs::from_str(&envelope.payload).context("payload")?;
    let Bbox { x, y, width, height } = body.bbox;
    Ok(Some(Detection {
        detection_id: body.detection_id,
        frame_id: body.frame_id,
        citylens_track_id: body.track_id,
        org_id: header("org-id").map(str::to_owned),
        request_id: header("request-id").context("request-id")?.to_owned(),
        detector: body.detector,
        class_name: body.class_name,
        confidence: body.confidence.into(),
        bbox: [x, y, width, height].map(Into::into),
        lat: body.location.lat.into(),
        lon: body.location.lon.into(),
        detected_at: body.detected_at.parse::<Timestamp>()?.as_millisecond(),
        updated_at: body.updated_at.parse::<Timestamp>()?.as_millisecond(),
    }))
}
