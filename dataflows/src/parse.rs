//! From a message's bytes to a row in columns, without an owned value in between.

use hexflow_operators::Batch;
use hexflow_operators::cell::cell_of;
use hexflow_operators::hash::{Content, key_of};
use hexflow_operators::versions::order_of;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::messages::citylens;
use crate::messages::object::object;
use crate::messages::value::BoundingBox;
use crate::record::Record;
use crate::rows::{self, Detection, DetectionReference, Frame, FrameReference, MetaReference, Track, TrackReference};
use crate::time::Instant;

/// H3 resolution of a detection's cell.
pub const CELL_RESOLUTION: u8 = 2;

/// Bytes of a payload that a row carries along, to be shown should it stall.
pub const HEAD_BYTES: usize = 64;

/// Appends the row of a `citylens-track`, or says what is wrong with it.
pub fn track(record: &Record<'_>, stream: u32, rows: &mut Batch<Track>) -> Result<(), String> {
    let message: citylens::Track<'_> = read(record)?;
    let content = Content::default()
        .text(message.status.as_str())
        .maybe_text(message.device_id.as_ref().map(|id| &*id.0))
        .bits(message.started_at.ms.cast_unsigned())
        .maybe_number(message.ended_at.map(ms_as_number))
        .maybe_number(message.distance_meters.map(|m| m.0));
    let id = &*message.track_id.0;
    rows.push(TrackReference {
        meta: meta(record, stream, id, id, message.updated_at, content)?,
        track_id: id,
        status: message.status.as_str(),
        device_id: message.device_id.as_ref().map(|id| &*id.0),
        started_at: message.started_at.ms,
        ended_at: message.ended_at.map(|at| at.ms),
        distance_meters: message.distance_meters.map(|m| m.0),
    });
    Ok(())
}

/// Appends the row of a `citylens-frame`, or says what is wrong with it.
pub fn frame(record: &Record<'_>, stream: u32, rows: &mut Batch<Frame>) -> Result<(), String> {
    let message: citylens::Frame<'_> = read(record)?;
    if let Some(gps) = message.gps {
        citylens::check_gps(gps).map_err(|error| format!("field `gps`: {error}"))?;
    }
    let (id, track_id) = (&*message.frame_id.0, &*message.track_id.0);
    let location = message.location;
    let content = Content::default()
        .text(track_id)
        .bits(u64::from(message.sequence))
        .bits(message.captured_at.ms.cast_unsigned())
        .number(location.lat.0)
        .number(location.lon.0)
        .maybe_number(location.altitude.map(|m| m.0))
        .maybe_number(location.accuracy.map(|m| m.0))
        .maybe_number(message.heading.map(|degrees| degrees.0))
        .maybe_number(message.speed.map(|speed| speed.0))
        .maybe_text(message.image_url.as_ref().map(|url| &*url.0))
        .maybe_text(message.gps.map(RawValue::get));
    rows.push(FrameReference {
        meta: meta(record, stream, id, track_id, message.updated_at, content)?,
        frame_id: id,
        track_id,
        sequence: message.sequence,
        captured_at: message.captured_at.ms,
        lat: location.lat.0,
        lon: location.lon.0,
        altitude: location.altitude.map(|m| m.0),
        accuracy: location.accuracy.map(|m| m.0),
        heading: message.heading.map(|degrees| degrees.0),
        speed: message.speed.map(|speed| speed.0),
        image_url: message.image_url.as_ref().map(|url| &*url.0),
        gps: message.gps.map(RawValue::get),
    });
    Ok(())
}

/// Appends the row of a `citylens-detection`, or says what is wrong with it.
pub fn detection(record: &Record<'_>, stream: u32, rows: &mut Batch<Detection>) -> Result<(), String> {
    let message: citylens::Detection<'_> = read(record)?;
    let (id, track_id) = (&*message.detection_id.0, &*message.track_id.0);
    let BoundingBox { x, y, width, height } = message.bbox;
    let (lat, lon) = (message.location.lat.0, message.location.lon.0);
    let content = Content::default()
        .text(&message.frame_id.0)
        .text(track_id)
        .text(&message.detector.0)
        .text(&message.class_name.0)
        .number(message.confidence.0)
        .number(x.0)
        .number(y.0)
        .number(width.0)
        .number(height.0)
        .number(lat)
        .number(lon)
        .bits(message.detected_at.ms.cast_unsigned());
    rows.push(DetectionReference {
        meta: meta(record, stream, id, track_id, message.updated_at, content)?,
        detection_id: id,
        frame_id: &*message.frame_id.0,
        track_id,
        detector: &*message.detector.0,
        class_name: &*message.class_name.0,
        confidence: message.confidence.0,
        bbox: (x.0, y.0, width.0, height.0),
        lat,
        lon,
        cell: cell_of(lat, lon, CELL_RESOLUTION).ok_or("field `location`: in no H3 cell")?,
        detected_at: message.detected_at.ms,
    });
    Ok(())
}

type MetaOf<'a> =
    MetaReference<u32, u64, i64, u128, u128, u128, u64, i64, u64, &'a str, Option<&'a str>, Option<&'a str>, &'a str>;

/// What every row has; `id` is the row's primary key, `content` all else that it holds.
fn meta<'a>(
    record: &Record<'a>,
    stream: u32,
    id: &str,
    track_id: &str,
    updated_at: Instant,
    content: Content,
) -> Result<MetaOf<'a>, String> {
    let org_id = record.header("org-id");
    Ok(MetaReference {
        stream,
        offset: record.offset,
        ts: record.ts,
        track_key: rows::track_key(track_id),
        axion: 0,
        key: key_of(id.as_bytes()),
        content: content.maybe_text(org_id).finish(),
        updated_at: updated_at.ms,
        order: order_of(updated_at.sub_ns, record.offset),
        request_id: record.header("request-id").ok_or("header `request-id` is missing")?,
        org_id,
        traceparent: record.header("traceparent"),
        head: head(record.payload.unwrap_or_default()),
    })
}

/// The first bytes of a payload, cut between characters.
pub fn head(payload: &str) -> &str {
    &payload[..payload.floor_char_boundary(HEAD_BYTES)]
}

fn ms_as_number(at: Instant) -> f64 {
    f64::from_bits(at.ms.cast_unsigned())
}

/// Reads a payload; the error names the field.
fn read<'a, M: Deserialize<'a>>(record: &Record<'a>) -> Result<M, String> {
    let payload = record.payload.filter(|payload| !payload.is_empty()).ok_or("the payload is empty")?;
    let mut json = serde_json::Deserializer::from_str(payload);
    let message = object(&mut json).and_then(|message| json.end().map(|()| message));
    message.map_err(|_| explain::<M>(payload))
}

/// Reads a payload known to be wrong once more, following the path to the field: too slow for every message.
#[cold]
fn explain<'a, M: Deserialize<'a>>(payload: &'a str) -> String {
    let mut json = serde_json::Deserializer::from_str(payload);
    let mut track = serde_path_to_error::Track::new();
    let read = object::<_, M>(serde_path_to_error::Deserializer::new(&mut json, &mut track));
    let path = track.path();
    match read {
        Err(error) if path.iter().next().is_some() => format!("field `{path}`: {error}"),
        Err(error) => error.to_string(),
        Ok(_) => json.end().err().map_or_else(|| "unreadable".to_owned(), |error| error.to_string()),
    }
}
