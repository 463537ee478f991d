//! Outgoing topics as dumps: `DIR/<topic>.ndjson` in kcat's envelope, which the next hexflow can replay.
//!
//! Each run writes the files anew; a topic without a message gets no file. A message is made of its record alone, its time
//! included, so sending it again makes the same bytes, but for the offset.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use columnar::Ref;
use hexflow_dataflows::decode::DeadLetter;
use hexflow_dataflows::messages::sense;
use hexflow_dataflows::messages::topic::{Topic, kind, partition_of};
use hexflow_dataflows::messages::value::{BoundingBox, Finite, Latitude, Location, Longitude};
use hexflow_dataflows::rows::{Detection, Frame, Meta, Track, text};
use hexflow_dataflows::time::Instant;
use hexflow_operators::upsert::Tally;
use hexflow_operators::versions::sub_ns_of;
use serde::Serialize;

use super::{Rows, Sink};
use crate::dump::write::{Outgoing, write_line};
use crate::tables::{SOURCE, Tabled, Text, UPSERT};

/// Partitions of dead-letter topics.
const DEAD_LETTER_PARTITIONS: u32 = 6;

/// Writes outgoing messages into the dumps of a folder.
pub struct Emit {
    folder: PathBuf,
    env: String,
    topics: BTreeMap<String, Dump>,
    payload: Vec<u8>,
}

struct Dump {
    path: PathBuf,
    file: BufWriter<File>,
    /// The next offset of each partition.
    offsets: Vec<u64>,
    line: Vec<u8>,
}

impl Emit {
    /// Makes the folder, and removes from it the dumps of an earlier run.
    pub fn create(folder: &Path, env: &str) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let citylens = Topic::ALL.into_iter().filter(|topic| *topic <= Topic::CitylensDetections);
        let dead_letters = citylens.map(|topic| format!("{}.dlq", topic.name()));
        let outgoing = [Topic::TrackMetadata, Topic::ClusterizationRequests, Topic::AuditEvents];
        for name in outgoing.into_iter().map(|topic| topic.name().to_owned()).chain(dead_letters) {
            let path = folder.join(format!("{name}.ndjson"));
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", path.display()));
                }
                _ => {}
            }
        }
        Ok(Emit { folder: folder.to_owned(), env: env.to_owned(), topics: BTreeMap::new(), payload: Vec::new() })
    }

    /// Sends `message` to `topic`, with the headers of the record it is made of.
    fn send(
        &mut self,
        topic: Topic,
        kind: &str,
        meta: Ref<'_, Meta>,
        key: &str,
        message: &impl Serialize,
    ) -> Result<()> {
        let mut payload = std::mem::take(&mut self.payload);
        payload.clear();
        serde_json::to_writer(&mut payload, message).context("cannot write a message as JSON")?;
        let mut headers = vec![("message-type", Some(kind)), ("request-id", Some(text(meta.request_id)))];
        headers.extend(meta.org_id.map(|org| ("org-id", Some(text(org)))));
        let env = std::mem::take(&mut self.env);
        headers.push(("env", Some(&env)));
        headers.extend(meta.traceparent.map(|parent| ("traceparent", Some(text(parent)))));
        let partition = partition_of(key, topic.partitions());
        let sent = self.append(
            topic.name(),
            topic.partitions(),
            &Outgoing {
                topic: topic.name(),
                partition,
                offset: 0,
                ts: *meta.ts,
                headers: &headers,
                key: Some(key),
                payload: Some(text(&payload)),
            },
        );
        self.env = env;
        self.payload = payload;
        sent
    }

    /// Appends a record to a topic's dump, at its partition's next offset.
    fn append(&mut self, topic: &str, partitions: u32, record: &Outgoing<'_>) -> Result<()> {
        if !self.topics.contains_key(topic) {
            let path = self.folder.join(format!("{topic}.ndjson"));
            let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
            let (file, offsets) = (BufWriter::with_capacity(1 << 18, file), vec![0; partitions as usize]);
            self.topics.insert(topic.to_owned(), Dump { path, file, offsets, line: Vec::new() });
        }
        let dump = self.topics.get_mut(topic).context("a topic's dump was made just now")?;
        let offset = &mut dump.offsets[record.partition as usize];
        dump.line.clear();
        write_line(&mut dump.line, &Outgoing { offset: *offset, ..*record });
        *offset += 1;
        dump.file.write_all(&dump.line).with_context(|| format!("cannot write {}", dump.path.display()))
    }

    fn track(&mut self, track: Ref<'_, Track>) -> Result<()> {
        let row = Track::row(track);
        let id = row.track_id.as_str();
        self.send(
            Topic::TrackMetadata,
            kind::TRACK,
            track.meta,
            id,
            &sense::Track {
                track_id: id,
                status: row.status.as_str(),
                started_at: Instant::from_ms(row.started_at),
                ended_at: row.ended_at.map(Instant::from_ms),
                distance_meters: row.distance_meters,
                device_id: row.device_id.map(Text::as_str),
                updated_at: updated_at(track.meta),
            },
        )?;
        self.audit(track.meta, "track", id)
    }

    fn frame(&mut self, frame: Ref<'_, Frame>) -> Result<()> {
        let row = Frame::row(frame);
        let id = row.track_id.as_str();
        self.send(
            Topic::TrackMetadata,
            kind::FRAME,
            frame.meta,
            id,
            &sense::Frame {
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
            },
        )?;
        self.audit(frame.meta, "frame", row.frame_id.as_str())
    }

    fn request(&mut self, detection: Ref<'_, Detection>) -> Result<()> {
        let row = Detection::row(detection);
        let bbox = [row.bbox_x, row.bbox_y, row.bbox_width, row.bbox_height].map(Finite);
        let cell = row.h3.as_str();
        self.send(
            Topic::ClusterizationRequests,
            kind::CLUSTERIZATION_REQUEST,
            detection.meta,
            cell,
            &sense::ClusterizationRequest {
                detection_id: row.detection_id.as_str(),
                frame_id: row.frame_id.as_str(),
                track_id: row.track_id.as_str(),
                detector: row.detector.as_str(),
                class_name: row.class_name.as_str(),
                confidence: row.confidence,
                bbox: BoundingBox { x: bbox[0], y: bbox[1], width: bbox[2], height: bbox[3] },
                lat: row.lat,
                lon: row.lon,
                cell,
                detected_at: Instant::from_ms(row.detected_at),
                updated_at: updated_at(detection.meta),
                source: SOURCE,
            },
        )
    }

    fn audit(&mut self, meta: Ref<'_, Meta>, entity: &str, entity_id: &str) -> Result<()> {
        let request_id = text(meta.request_id);
        self.send(
            Topic::AuditEvents,
            kind::AUDIT_EVENT,
            meta,
            request_id,
            &sense::AuditEvent {
                request_id,
                org_id: meta.org_id.map(text),
                entity,
                entity_id,
                action: UPSERT,
                source: SOURCE,
                at: updated_at(meta),
            },
        )
    }

    /// Sets a record aside, as it came, with what is wrong and where it was.
    fn dead_letter(&mut self, letter: &DeadLetter) -> Result<()> {
        let topic = format!("{}.dlq", letter.topic);
        let (partition, offset) = (letter.partition.to_string(), letter.offset.to_string());
        let original = letter.headers.iter().map(|(name, value)| (&**name, value.as_deref()));
        let added =
            [("error", &letter.error), ("topic", &letter.topic), ("partition", &partition), ("offset", &offset)];
        let headers: Vec<_> = original.chain(added.map(|(name, value)| (name, Some(value.as_str())))).collect();
        let key = letter.key.as_deref();
        self.append(
            &topic,
            DEAD_LETTER_PARTITIONS,
            &Outgoing {
                topic: &topic,
                partition: key
                    .map_or(letter.partition % DEAD_LETTER_PARTITIONS, |key| partition_of(key, DEAD_LETTER_PARTITIONS)),
                offset: 0,
                ts: letter.ts,
                headers: &headers,
                key,
                payload: letter.payload.as_deref(),
            },
        )
    }
}

fn updated_at(meta: Ref<'_, Meta>) -> Instant {
    Instant { ms: *meta.updated_at, sub_ns: sub_ns_of(*meta.order) }
}

impl Sink for Emit {
    type Work = Rows;

    fn preparer(&self) -> impl Fn(&Rows) -> Rows + Send + Sync + 'static {
        Rows::clone
    }

    fn write(&mut self, rows: Rows) -> Result<()> {
        match &rows {
            Rows::Tracks(batch) => batch.iter().try_for_each(|track| self.track(track)),
            Rows::Frames(batch) => batch.iter().try_for_each(|frame| self.frame(frame)),
            Rows::Detections(batch) => batch
                .iter()
                .try_for_each(|detection| self.audit(detection.meta, "detection", text(detection.detection_id))),
            Rows::Requests(batch) => batch.iter().try_for_each(|detection| self.request(detection)),
            Rows::DeadLetters(letters) => letters.iter().try_for_each(|letter| self.dead_letter(letter)),
        }
    }

    fn commit(&mut self) -> Result<Tally> {
        let flush =
            |dump: &mut Dump| dump.file.flush().with_context(|| format!("cannot write {}", dump.path.display()));
        self.topics.values_mut().try_for_each(flush)?;
        Ok(Tally::default())
    }
}
