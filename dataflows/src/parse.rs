//! From a message's bytes to a row in columns, without an owned value in between.

use hexflow_operators::Batch;
use hexflow_operators::cells::Cells;
use hexflow_operators::hash::{Content, key_of};
use hexflow_operators::versions::order_of;
use serde::Deserialize;

use crate::headers::Headers;
use crate::messages::object::object;
use crate::messages::value::BoundingBox;
use crate::messages::{citylens, plain};
use crate::record::{Payload, Record};
use crate::rows::{self, Detection, DetectionReference, Frame, FrameReference, MetaReference, Track, TrackReference};
use crate::time::Instant;

/// Appends the row of a `citylens-track`, or says what is wrong with it.
pub fn track(record: &Record<'_>, headers: &Headers<'_>, rows: &mut Batch<Track>) -> Result<(), String> {
    let message: citylens::Track<'_> = read(record, plain::track::<false>, plain::track::<true>)?;
    let content = Content::default()
        .text(message.status.as_str())
        .maybe_text(message.device_id.as_ref().map(|id| &*id.0))
        .bits(message.started_at.ms.cast_unsigned())
        .maybe_number(message.ended_at.map(ms_as_number))
        .maybe_number(message.distance_meters.map(|m| m.0));
    let id = &*message.track_id.0;
    rows.push(TrackReference {
        meta: meta(record, headers, id, id, message.updated_at, content),
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
pub fn frame(record: &Record<'_>, headers: &Headers<'_>, rows: &mut Batch<Frame>) -> Result<(), String> {
    let message: citylens::Frame<'_> = read(record, plain::frame::<false>, plain::frame::<true>)?;
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
        .maybe_text(message.gps.as_ref().map(|gps| &*gps.0));
    rows.push(FrameReference {
        meta: meta(record, headers, id, track_id, message.updated_at, content),
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
        gps: message.gps.as_ref().map(|gps| &*gps.0),
    });
    Ok(())
}

/// Appends the row of a `citylens-detection`, or says what is wrong with it.
pub fn detection(
    record: &Record<'_>,
    headers: &Headers<'_>,
    cells: &mut Cells,
    rows: &mut Batch<Detection>,
) -> Result<(), String> {
    let message: citylens::Detection<'_> = read(record, plain::detection::<false>, plain::detection::<true>)?;
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
        meta: meta(record, headers, id, track_id, message.updated_at, content),
        detection_id: id,
        frame_id: &*message.frame_id.0,
        track_id,
        detector: &*message.detector.0,
        class_name: &*message.class_name.0,
        confidence: message.confidence.0,
        bbox: (x.0, y.0, width.0, height.0),
        lat,
        lon,
        cell: cells.of(lat, lon).ok_or("field `location`: in no H3 cell")?,
        detected_at: message.detected_at.ms,
    });
    Ok(())
}

type MetaOf<'a> =
    MetaReference<u32, u64, i64, u128, u128, u128, u64, i64, u64, &'a str, Option<&'a str>, Option<&'a str>, &'a str>;

/// What every row has; `id` is the row's primary key, `content` all else that it holds.
fn meta<'a>(
    record: &Record<'a>,
    headers: &Headers<'a>,
    id: &str,
    track_id: &str,
    updated_at: Instant,
    content: Content,
) -> MetaOf<'a> {
    MetaReference {
        stream: rows::stream_of(record.topic, record.partition),
        offset: record.offset,
        ts: record.ts,
        track_key: rows::track_key(track_id),
        axion: 0,
        key: key_of(id.as_bytes()),
        content: content.maybe_text(headers.org_id).finish(),
        updated_at: updated_at.ms,
        order: order_of(updated_at.sub_ns, record.offset),
        request_id: headers.request_id,
        org_id: headers.org_id,
        traceparent: headers.traceparent,
        head: record.head(),
    }
}

fn ms_as_number(at: Instant) -> f64 {
    f64::from_bits(at.ms.cast_unsigned())
}

/// Reads a payload; the error names the field. Of a payload that still has its escapes the error says nothing: it is to be
/// offered as text.
pub(crate) fn read<'a, M: Deserialize<'a>>(
    record: &Record<'a>,
    plain: fn(&'a str) -> Option<M>,
    escaped: fn(&'a str) -> Option<M>,
) -> Result<M, String> {
    let payload = match record.payload {
        Some(Payload::Escaped(inside)) => return escaped(inside).ok_or_else(String::new),
        Some(Payload::Unreadable(_, reason)) => return Err(reason.to_owned()),
        Some(Payload::Text(text)) if !text.is_empty() => text,
        _ => return Err("the payload is empty".to_owned()),
    };
    if let Some(message) = plain(payload) {
        return Ok(message);
    }
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
