//! Reads a message field by field, as the contract words it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::support::record::{FRAMES, Record, TRACKS};
use crate::support::scene::message_type;
use crate::support::schema::Cell;

/// What a record turns out to be.
pub(super) enum Verdict {
    /// Of another environment.
    Ignored,
    /// It breaks the contract.
    Malformed,
    /// A message to apply.
    Valid(Box<Item>),
}

/// A message, with the columns that it alone decides.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// `track`, `frame` or `detection`.
    pub(super) entity: &'static str,
    /// Its own id; of a track the citylens one.
    pub(super) id: String,
    /// The citylens track id.
    pub(super) track: String,
    pub(super) updated_ns: i128,
    pub(super) request_id: String,
    pub(super) org_id: Option<String>,
    /// All columns but those that need the mapping or the object store.
    pub(super) columns: BTreeMap<&'static str, Cell>,
    /// Detailed GPS.
    pub(super) gps: Option<Value>,
    /// The message as it came.
    pub(super) body: Value,
}

impl Item {
    /// Whether it says the same: by whom it was requested does not matter.
    pub(super) fn has_content_of(&self, other: &Item) -> bool {
        self.columns == other.columns && self.gps == other.gps
    }
}

/// Judges a record by its headers, then by its body.
pub(super) fn read(record: &Record) -> Verdict {
    match record.header("env") {
        None => return Verdict::Malformed,
        Some("prod") => {}
        Some(_) => return Verdict::Ignored,
    }
    if record.header("message-type") != Some(message_type(&record.topic)) {
        return Verdict::Malformed;
    }
    let item = || {
        let body: Value = serde_json::from_str(record.payload.as_deref()?).ok()?;
        let mut reader = Reader { body: &body, columns: BTreeMap::new() };
        let org_id = record.header("org-id").map(str::to_owned);
        reader.columns.insert("org_id", org_id.clone().map_or(Cell::Null, Cell::Text));
        let (entity, id, gps) = match record.topic.as_str() {
            TRACKS => reader.track()?,
            FRAMES => reader.frame()?,
            _ => reader.detection()?,
        };
        let (track, updated_ns) = (id_in(&body["trackId"])?, time_in(&body["updatedAt"])?.as_nanosecond());
        let request_id = record.header("request-id")?.to_owned();
        let columns = reader.columns;
        Some(Item { entity, id, track, updated_ns, request_id, org_id, columns, gps, body })
    };
    item().map_or(Verdict::Malformed, |item| Verdict::Valid(Box::new(item)))
}

/// Fills columns from a body; `None` from any of its methods is a broken promise.
struct Reader<'a> {
    body: &'a Value,
    columns: BTreeMap<&'static str, Cell>,
}

/// The entity, its id and its detailed GPS.
type Parts = (&'static str, String, Option<Value>);

impl Reader<'_> {
    fn track(&mut self) -> Option<Parts> {
        let id = self.id("citylens_track_id", "/trackId")?;
        let status = self.body["status"].as_str().filter(|s| ["started", "recording", "finished"].contains(s))?;
        self.columns.insert("status", Cell::Text(status.to_owned()));
        self.optional("device_id", "/deviceId", |v| id_in(v).map(Cell::Text))?;
        self.time("started_at", "/startedAt")?;
        self.optional("ended_at", "/endedAt", |v| time_in(v).map(milliseconds))?;
        self.optional("distance_meters", "/distanceMeters", real)?;
        self.time("updated_at", "/updatedAt")?;
        Some(("track", id, None))
    }

    fn frame(&mut self) -> Option<Parts> {
        let id = self.id("frame_id", "/frameId")?;
        self.id("citylens_track_id", "/trackId")?;
        let sequence = self.body["sequence"].as_u64().filter(|&n| n <= u64::from(u32::MAX))?;
        self.columns.insert("sequence", Cell::Int(sequence.cast_signed()));
        self.time("captured_at", "/capturedAt")?;
        self.place()?;
        self.optional("altitude", "/location/altitude", real)?;
        self.optional("accuracy", "/location/accuracy", real)?;
        self.optional("heading", "/heading", heading)?;
        self.optional("speed", "/speed", real)?;
        self.optional("image_url", "/imageUrl", text)?;
        self.time("updated_at", "/updatedAt")?;
        let gps = match &self.body["gps"] {
            Value::Null => None,
            points => Some(points.as_array()?.iter().all(is_fix).then(|| points.clone())?),
        };
        Some(("frame", id, gps))
    }

    fn detection(&mut self) -> Option<Parts> {
        let id = self.id("detection_id", "/detectionId")?;
        self.id("frame_id", "/frameId")?;
        self.id("citylens_track_id", "/trackId")?;
        self.required("detector", "/detector", text)?;
        self.required("class_name", "/className", text)?;
        self.required("confidence", "/confidence", |v| real_within(v, 0.0, 1.0))?;
        self.body["bbox"].as_object()?;
        for (column, field) in [("bbox_x", "x"), ("bbox_y", "y"), ("bbox_width", "width"), ("bbox_height", "height")] {
            self.required(column, &format!("/bbox/{field}"), real)?;
        }
        self.place()?;
        self.time("detected_at", "/detectedAt")?;
        self.time("updated_at", "/updatedAt")?;
        self.columns.insert("source", Cell::Text("citylens".to_owned()));
        Some(("detection", id, None))
    }

    fn place(&mut self) -> Option<()> {
        self.body["location"].as_object()?;
        self.required("lat", "/location/lat", |v| real_within(v, -90.0, 90.0))?;
        self.required("lon", "/location/lon", |v| real_within(v, -180.0, 180.0))
    }

    fn id(&mut self, column: &'static str, at: &str) -> Option<String> {
        let id = id_in(self.body.pointer(at)?)?;
        self.columns.insert(column, Cell::Text(id.clone()));
        Some(id)
    }

    fn time(&mut self, column: &'static str, at: &str) -> Option<()> {
        self.required(column, at, |v| time_in(v).map(milliseconds))
    }

    fn required(&mut self, column: &'static str, at: &str, read: impl Fn(&Value) -> Option<Cell>) -> Option<()> {
        let cell = read(self.body.pointer(at)?)?;
        self.columns.insert(column, cell);
        Some(())
    }

    fn optional(&mut self, column: &'static str, at: &str, read: impl Fn(&Value) -> Option<Cell>) -> Option<()> {
        let cell = match self.body.pointer(at) {
            None | Some(Value::Null) => Cell::Null,
            Some(value) => read(value)?,
        };
        self.columns.insert(column, cell);
        Some(())
    }
}

fn id_in(value: &Value) -> Option<String> {
    value.as_str().filter(|id| (1..=256).contains(&id.len())).map(str::to_owned)
}

fn time_in(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

fn milliseconds(time: Timestamp) -> Cell {
    Cell::Int(i64::try_from(time.as_nanosecond().div_euclid(1_000_000)).expect("a time of this era"))
}

fn text(value: &Value) -> Option<Cell> {
    value.as_str().map(|text| Cell::Text(text.to_owned()))
}

fn real(value: &Value) -> Option<Cell> {
    value.as_f64().filter(|number| number.is_finite()).map(Cell::Real)
}

fn real_within(value: &Value, least: f64, most: f64) -> Option<Cell> {
    value.as_f64().filter(|number| (least..=most).contains(number)).map(Cell::Real)
}

fn heading(value: &Value) -> Option<Cell> {
    value.as_f64().filter(|number| (0.0..360.0).contains(number)).map(Cell::Real)
}

/// Whether it is a point of detailed GPS.
fn is_fix(point: &Value) -> bool {
    let optional = |name: &str, read: fn(&Value) -> Option<Cell>| point[name].is_null() || read(&point[name]).is_some();
    point.is_object()
        && time_in(&point["at"]).is_some()
        && real_within(&point["lat"], -90.0, 90.0).is_some()
        && real_within(&point["lon"], -180.0, 180.0).is_some()
        && ["altitude", "accuracy", "speed"].iter().all(|name| optional(name, real))
        && optional("heading", heading)
}
