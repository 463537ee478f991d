//! Makes messages of rows: what is sent on of each, and its audit.

use columnar::Ref;
use hexflow_dataflows::alerts::changes::Notice;
use hexflow_dataflows::messages::sense;
use hexflow_dataflows::messages::topic::{Topic, kind};
use hexflow_dataflows::messages::value::{BoundingBox, Finite, Latitude, Location, Longitude};
use hexflow_dataflows::pipelines::Pipeline;
use hexflow_dataflows::rows::{Detection, Frame, Meta, Track, text};
use hexflow_dataflows::time::Instant;
use hexflow_operators::versions::sub_ns_of;
use serde::Serialize;

use super::alert::Body;
use super::letter;
use super::messages::{Address, Messages};
use crate::sinks::Rows;
use crate::tables::{SOURCE, Tabled, Text, UPSERT};

/// About what a row's messages take, bytes, so that a block seldom grows.
const ROW_BYTES: usize = 1_024;

/// The topics that rows lead to messages on.
pub const TOPICS: [Topic; 3] = [Topic::TrackMetadata, Topic::ClusterizationRequests, Topic::AuditEvents];

/// What messages need beyond their rows.
#[derive(Clone, Debug)]
pub struct Maker {
    env: String,
    prefix: String,
    /// Of [`TOPICS`], as the brokers have them.
    names: [String; 3],
    /// The topic of alerts.
    alerts: String,
}

impl Maker {
    /// Makes messages for `env`; `prefix` stands before topics' names on the brokers.
    pub fn new(env: &str, prefix: &str) -> Self {
        let names = TOPICS.map(|topic| format!("{prefix}{}", topic.name()));
        let alerts = format!("{prefix}{}", Topic::Alerts.name());
        Maker { env: env.to_owned(), prefix: prefix.to_owned(), names, alerts }
    }

    /// The names that the topics have on the brokers.
    pub fn names(&self) -> &[String; 3] {
        &self.names
    }

    /// The name that the topic of alerts has on the brokers.
    pub fn alerts(&self) -> &str {
        &self.alerts
    }

    /// The messages that rows lead to, in the order of the rows.
    pub fn make(&self, rows: &Rows) -> Messages {
        let room = match rows {
            Rows::Sensors(_) | Rows::Cameras(_) => 0, // most have none
            rows => rows.len() * ROW_BYTES,
        };
        let mut making = Making { maker: self, messages: Messages::with_room(room) };
        match rows {
            Rows::Tracks(batch) => batch.iter().for_each(|track| making.track(track)),
            Rows::Frames(batch) => batch.iter().for_each(|frame| making.frame(frame)),
            Rows::Detections(batch) => {
                batch.iter().for_each(|row| making.audit(row.meta, "detection", text(row.detection_id)));
            }
            Rows::Requests(batch) => batch.iter().for_each(|detection| making.request(detection)),
            Rows::DeadLetters(letters) => {
                letters.iter().for_each(|letter| letter::push(&mut making.messages, letter, &self.prefix));
            }
            Rows::Sensors(changes) => making.alerts(Pipeline::Sensors, &changes.alerts.notices),
            Rows::Cameras(changes) => making.alerts(Pipeline::Cameras, &changes.alerts.notices),
            Rows::Late(_) | Rows::Settled(_) => {}
        }
        making.messages
    }
}

/// Messages in the making.
struct Making<'a> {
    maker: &'a Maker,
    messages: Messages,
}

impl Making<'_> {
    /// Appends `message`, with the headers of the record it is made of. `topic` is one of [`TOPICS`], by its place.
    fn push(&mut self, topic: usize, kind: &str, meta: Ref<'_, Meta>, key: &str, message: &impl Serialize) {
        let env = self.maker.env.as_bytes();
        let headers = [("message-type", Some(kind.as_bytes())), ("request-id", Some(meta.request_id))];
        let org = meta.org_id.map(|org| ("org-id", Some(org)));
        let trace = meta.traceparent.map(|parent| ("traceparent", Some(parent)));
        let headers = headers.into_iter().chain(org).chain([("env", Some(env))]).chain(trace);
        let to = Address { topic: &self.maker.names[topic], partition: None, ts: *meta.ts };
        self.messages.push(to, Some(key.as_bytes()), headers, |bytes| {
            let written = serde_json::to_writer(bytes, message);
            debug_assert!(written.is_ok(), "plain fields written into memory: {written:?}");
            true
        });
    }

    fn alerts(&mut self, pipeline: Pipeline, notices: &[Notice]) {
        for notice in notices {
            let body = Body::of_notice(pipeline, notice);
            let (key, id, env) = (body.topic_key(), body.request_id(), self.maker.env.as_bytes());
            let values = [("message-type", kind::ALERT.as_bytes()), ("request-id", id.as_bytes()), ("env", env)];
            let to = Address { topic: &self.maker.alerts, partition: None, ts: body.at_ms() };
            self.messages.push(to, Some(key.as_bytes()), values.map(|(name, value)| (name, Some(value))), |bytes| {
                bytes.extend_from_slice(&body.json());
                true
            });
        }
    }

    fn track(&mut self, track: Ref<'_, Track>) {
        let row = Track::row(track);
        let id = row.track_id.as_str();
        let message = sense::Track {
            track_id: id,
            status: row.status.as_str(),
            started_at: Instant::from_ms(row.started_at),
            ended_at: row.ended_at.map(Instant::from_ms),
            distance_meters: row.distance_meters,
            device_id: row.device_id.map(Text::as_str),
            updated_at: updated_at(track.meta),
        };
        self.push(0, kind::TRACK, track.meta, id, &message);
        self.audit(track.meta, "track", id);
    }

    fn frame(&mut self, frame: Ref<'_, Frame>) {
        let row = Frame::row(frame);
        let id = row.track_id.as_str();
        let message = sense::Frame {
            frame_id: row.frame_id.as_str(),
            track_id: id,
            sequence: row.sequence,
            captured_at: Instant::from_ms(row.captured_at),
            location: Location {
                lat: Latitude(row.lat),
                lon: Longitude(row.lon),
                altitude: row.altitude.map(Finite),
                accuracy: row.accuracy.map(Finite),
            },
            heading: row.heading,
            speed: row.speed,
            image_url: row.image_url.map(Text::as_str),
            detailed_gps: row.gps_key.as_deref(),
            updated_at: updated_at(frame.meta),
        };
        self.push(0, kind::FRAME, frame.meta, id, &message);
        self.audit(frame.meta, "frame", row.frame_id.as_str());
    }

    fn request(&mut self, detection: Ref<'_, Detection>) {
        let row = Detection::row(detection);
        let [x, y, width, height] = [row.bbox_x, row.bbox_y, row.bbox_width, row.bbox_height].map(Finite);
        let cell = row.h3.as_str();
        let message = sense::ClusterizationRequest {
            detection_id: row.detection_id.as_str(),
            frame_id: row.frame_id.as_str(),
            track_id: row.track_id.as_str(),
            detector: row.detector.as_str(),
            class_name: row.class_name.as_str(),
            confidence: row.confidence,
            bbox: BoundingBox { x, y, width, height },
            lat: row.lat,
            lon: row.lon,
            cell,
            detected_at: Instant::from_ms(row.detected_at),
            updated_at: updated_at(detection.meta),
            source: SOURCE,
        };
        self.push(1, kind::CLUSTERIZATION_REQUEST, detection.meta, cell, &message);
    }

    fn audit(&mut self, meta: Ref<'_, Meta>, entity: &str, entity_id: &str) {
        let request_id = text(meta.request_id);
        let message = sense::AuditEvent {
            request_id,
            org_id: meta.org_id.map(text),
            entity,
            entity_id,
            action: UPSERT,
            source: SOURCE,
            at: updated_at(meta),
        };
        self.push(2, kind::AUDIT_EVENT, meta, request_id, &message);
    }
}

fn updated_at(meta: Ref<'_, Meta>) -> Instant {
    Instant { ms: *meta.updated_at, sub_ns: sub_ns_of(*meta.order) }
}
