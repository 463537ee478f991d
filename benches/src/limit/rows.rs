//! The rows of the tables, as lines of JSON.

use super::cell::Cell;
use super::message::{Detection, Frame, Record, Track};
use super::number::Number;
use super::table::Lines;
use super::time::Time;

/// What a row needs beside its message: its times are written once for all its places.
pub(super) struct Row<'a> {
    pub(super) record: &'a Record<'a>,
    pub(super) axion: &'a Axion,
    pub(super) updated_at: Time,
    pub(super) updated: Number,
}

impl<'a> Row<'a> {
    pub(super) fn new(record: &'a Record<'a>, axion: &'a Axion, updated_at: Time) -> Self {
        Row { record, axion, updated_at, updated: Number::whole(updated_at.ms()) }
    }

    /// A time, which mostly is that of the update.
    #[inline]
    fn ms(&self, time: Time) -> Number {
        if time == self.updated_at { self.updated } else { Number::whole(time.ms()) }
    }
}

/// An axion track id as text.
pub(super) type Axion = [u8; 36];

pub(super) fn track(to: &mut Lines, row: &Row<'_>, track: &Track<'_>) {
    to.put(b"{\"track_id\":\"").put(row.axion).put(b"\",\"citylens_track_id\":\"").text(track.track_id);
    to.put(b"\",\"org_id\":").text_or_null(row.record.org_id);
    to.put(b",\"status\":\"").text(track.status).put(b"\",\"device_id\":").text_or_null(track.device_id);
    to.put(b",\"started_at\":").number(&row.ms(track.started_at)).put(b",\"ended_at\":");
    match track.ended_at {
        Some(time) => to.number(&row.ms(time)),
        None => to.put(b"null"),
    };
    to.put(b",\"distance_meters\":").number_or_null(track.distance_meters.as_ref());
    to.put(b",\"updated_at\":").number(&row.updated).put(b"}\n");
}

pub(super) fn frame(to: &mut Lines, row: &Row<'_>, frame: &Frame<'_>, gps_key: Option<&str>) {
    let place = &frame.location;
    to.put(b"{\"frame_id\":\"").text(frame.frame_id).put(b"\",\"track_id\":\"").put(row.axion);
    to.put(b"\",\"citylens_track_id\":\"").text(frame.track_id).put(b"\",\"org_id\":").text_or_null(row.record.org_id);
    to.put(b",\"sequence\":").number(&frame.sequence.0).put(b",\"captured_at\":").number(&row.ms(frame.captured_at));
    to.put(b",\"lat\":").number(&place.lat).put(b",\"lon\":").number(&place.lon);
    to.put(b",\"altitude\":").number_or_null(place.altitude.as_ref());
    to.put(b",\"accuracy\":").number_or_null(place.accuracy.as_ref());
    to.put(b",\"heading\":").number_or_null(frame.heading.as_ref());
    to.put(b",\"speed\":").number_or_null(frame.speed.as_ref());
    to.put(b",\"image_url\":").text_or_null(frame.image_url);
    to.put(b",\"gps_key\":").text_or_null(gps_key.map(str::as_bytes));
    to.put(b",\"updated_at\":").number(&row.updated).put(b"}\n");
}

pub(super) fn detection(to: &mut Lines, row: &Row<'_>, seen: &Detection<'_>, cell: &Cell) {
    let (bbox, place) = (&seen.bbox, &seen.location);
    to.put(b"{\"detection_id\":\"").text(seen.detection_id).put(b"\",\"frame_id\":\"").text(seen.frame_id);
    to.put(b"\",\"track_id\":\"").put(row.axion).put(b"\",\"citylens_track_id\":\"").text(seen.track_id);
    to.put(b"\",\"org_id\":").text_or_null(row.record.org_id);
    to.put(b",\"detector\":\"").text(seen.detector).put(b"\",\"class_name\":\"").text(seen.class_name);
    to.put(b"\",\"confidence\":").number(&seen.confidence);
    to.put(b",\"bbox_x\":").number(&bbox.x).put(b",\"bbox_y\":").number(&bbox.y);
    to.put(b",\"bbox_width\":").number(&bbox.width).put(b",\"bbox_height\":").number(&bbox.height);
    to.put(b",\"lat\":").number(&place.lat).put(b",\"lon\":").number(&place.lon);
    to.put(b",\"h3\":\"").put(cell).put(b"\",\"detected_at\":").number(&row.ms(seen.detected_at));
    to.put(b",\"updated_at\":").number(&row.updated).put(b",\"source\":\"citylens\"}\n");
}

pub(super) fn audit(to: &mut Lines, row: &Row<'_>, entity: &[u8], entity_id: &[u8]) {
    to.put(b"{\"request_id\":\"").text(row.record.request_id).put(b"\",\"entity\":\"").text(entity);
    to.put(b"\",\"entity_id\":\"").text(entity_id).put(b"\",\"org_id\":").text_or_null(row.record.org_id);
    to.put(b",\"action\":\"upsert\",\"source\":\"citylens\",\"at\":").number(&row.updated).put(b"}\n");
}
