//! What the limit reads: the three messages, and the envelope around them.

use super::cursor::{Cursor, Value, object};
use super::number::{Count, Number, whole};
use super::time::{Clock, Time};
use super::unusual::Field;

object! {
    /// `citylens-track`.
    Track<'a> {
        track_id: &'a [u8] = "trackId",
        status: &'a [u8] = "status",
        device_id: Option<&'a [u8]> = "deviceId",
        started_at: Time = "startedAt",
        ended_at: Option<Time> = "endedAt",
        distance_meters: Option<Number> = "distanceMeters",
        updated_at: Time = "updatedAt",
    }
}

object! {
    /// `citylens-frame`.
    Frame<'a> {
        frame_id: &'a [u8] = "frameId",
        track_id: &'a [u8] = "trackId",
        sequence: Count = "sequence",
        captured_at: Time = "capturedAt",
        location: Location = "location",
        heading: Option<Number> = "heading",
        speed: Option<Number> = "speed",
        image_url: Option<&'a [u8]> = "imageUrl",
        gps: Option<Fixes<'a>> = "gps",
        updated_at: Time = "updatedAt",
    }
}

object! {
    /// `citylens-detection`.
    Detection<'a> {
        detection_id: &'a [u8] = "detectionId",
        frame_id: &'a [u8] = "frameId",
        track_id: &'a [u8] = "trackId",
        detector: &'a [u8] = "detector",
        class_name: &'a [u8] = "className",
        confidence: Number = "confidence",
        bbox: BoundingBox = "bbox",
        location: Location = "location",
        detected_at: Time = "detectedAt",
        updated_at: Time = "updatedAt",
    }
}

object! {
    /// Where something is.
    Location {
        lat: Number = "lat",
        lon: Number = "lon",
        altitude: Option<Number> = "altitude",
        accuracy: Option<Number> = "accuracy",
    }
}

object! {
    /// Where something is in an image.
    BoundingBox {
        x: Number = "x",
        y: Number = "y",
        width: Number = "width",
        height: Number = "height",
    }
}

/// A list that is kept as an object of its own.
pub(super) enum Fixes<'a> {
    /// As it stands in a payload, with quotes escaped.
    Escaped(&'a [u8]),
    Plain(&'a str),
}

impl<'a> Value<'a> for Fixes<'a> {
    /// To the bracket that ends the list, if the list holds neither lists nor any escape but of quotes.
    fn scan(cursor: &mut Cursor<'a, '_>) -> Option<Self> {
        let end = memchr::memchr2(b']', b'[', cursor.rest.strip_prefix(b"[")?)? + 2;
        let (list, rest) = cursor.rest.split_at_checked(end)?;
        let is_usual = list.ends_with(b"]") && memchr::memchr_iter(b'\\', list).all(|at| list[at + 1] == b'"');
        cursor.rest = rest;
        is_usual.then_some(Fixes::Escaped(list))
    }
    fn of(field: &'a Field) -> Option<Self> {
        if let Field::List(list) = field { Some(Fixes::Plain(list)) } else { None }
    }
}

impl Fixes<'_> {
    /// The text of the object.
    pub(super) fn text(&self) -> String {
        match self {
            Fixes::Escaped(list) => String::from_utf8_lossy(list).replace("\\\"", "\""),
            Fixes::Plain(list) => (*list).to_owned(),
        }
    }
}

/// A message of one of the topics.
pub(super) enum Message<'a> {
    Track(Track<'a>),
    Frame(Frame<'a>),
    Detection(Detection<'a>),
}

/// The topics, in the order in which those of equal time are read: a track before its frames, and these before what is
/// seen in them.
#[derive(Clone, Copy)]
pub(super) enum Topic {
    Tracks,
    Frames,
    Detections,
}

impl Topic {
    pub(super) const ALL: [Topic; 3] = [Topic::Tracks, Topic::Frames, Topic::Detections];

    pub(super) fn name(self) -> &'static str {
        match self {
            Topic::Tracks => "axion.sense.citylens.track.lifecycle",
            Topic::Frames => "axion.sense.citylens.frame.lifecycle",
            Topic::Detections => "axion.sense.citylens.detections",
        }
    }

    pub(super) fn message_type(self) -> &'static str {
        match self {
            Topic::Tracks => "citylens-track",
            Topic::Frames => "citylens-frame",
            Topic::Detections => "citylens-detection",
        }
    }

    #[inline(always)]
    fn message<'a>(self, cursor: &mut Cursor<'a, '_>) -> Option<Message<'a>> {
        Some(match self {
            Topic::Tracks => Message::Track(Value::scan(cursor)?),
            Topic::Frames => Message::Frame(Value::scan(cursor)?),
            Topic::Detections => Message::Detection(Value::scan(cursor)?),
        })
    }
}

/// A record of the wanted environment.
pub(super) struct Record<'a> {
    pub(super) request_id: &'a [u8],
    pub(super) org_id: Option<&'a [u8]>,
    /// As it stands in the line.
    pub(super) payload: &'a [u8],
    pub(super) message: Message<'a>,
}

/// The time of the line at the beginning of a text, and where its headers begin.
#[inline]
pub(super) fn head(from: &[u8], topic: Topic) -> Option<(u64, usize)> {
    let rest = from.strip_prefix(b"{\"topic\":\"")?.strip_prefix(topic.name().as_bytes())?;
    let number = |rest: &mut &[u8]| {
        let (value, length) = whole(rest)?;
        *rest = rest.get(length..)?;
        Some(value)
    };
    let mut rest = rest.strip_prefix(b"\",\"partition\":")?;
    number(&mut rest)?;
    rest = rest.strip_prefix(b",\"offset\":")?;
    number(&mut rest)?;
    rest = rest.strip_prefix(b",\"tstype\":\"create\",\"ts\":")?;
    let ts = number(&mut rest)?;
    rest = rest.strip_prefix(b",\"broker\":")?;
    number(&mut rest)?;
    Some((ts, from.len() - rest.strip_prefix(b",\"headers\":[")?.len()))
}

/// What a line's headers tell.
#[derive(Default)]
struct Headers<'a> {
    message_type: Option<&'a [u8]>,
    request_id: Option<&'a [u8]>,
    org_id: Option<&'a [u8]>,
    env: Option<&'a [u8]>,
}

impl<'a> Headers<'a> {
    /// Reads them in whatever order, and the bracket that ends them.
    #[inline]
    fn scan(cursor: &mut Cursor<'a, '_>) -> Option<Self> {
        let mut headers = Headers::default();
        let mut more = cursor.pass(b"\"");
        while more {
            let name = cursor.text()?;
            let value = if cursor.pass(b"\",\"") { cursor.text()? } else { return None };
            match name {
                b"message-type" => headers.message_type = Some(value),
                b"request-id" => headers.request_id = Some(value),
                b"org-id" => headers.org_id = Some(value),
                b"env" => headers.env = Some(value),
                _ => {}
            }
            more = cursor.pass(b"\",\"");
        }
        cursor.pass(b"\"]").then_some(headers)
    }
}

/// Reads a line from its headers on. The inner option is none where the record is of another environment. Also says
/// what follows the line.
#[inline]
pub(super) fn record<'a>(from: &'a [u8], topic: Topic, clock: &mut Clock) -> Option<(Option<Record<'a>>, &'a [u8])> {
    let mut cursor = Cursor { rest: from, clock };
    let headers = Headers::scan(&mut cursor)?;
    if headers.env != Some(b"prod") {
        return Some((None, &from[memchr::memchr(b'\n', from)? + 1..]));
    }
    let has_key = cursor.pass(b",\"key\":\"") && cursor.text().is_some() && cursor.pass(b"\",\"payload\":\"");
    if headers.message_type != Some(topic.message_type().as_bytes()) || !has_key {
        return None;
    }
    let payload = cursor.rest;
    let message = topic.message(&mut cursor)?;
    let payload = &payload[..payload.len() - cursor.rest.len()];
    let record = Record { request_id: headers.request_id?, org_id: headers.org_id, payload, message };
    cursor.pass(b"\"}\n").then_some((Some(record), cursor.rest))
}
