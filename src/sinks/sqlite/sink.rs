//! Writes rows into the store: each with its audit, in transactions that hold many batches.
//!
//! A row is written if it is new or newer than what stands; otherwise it and its audit are left out. Row and audit share a
//! transaction, so after a crash either both are there or neither: a replay of what was stored changes nothing.

use std::path::PathBuf;

use anyhow::{Context, Result};
use columnar::Ref;
use hexflow_dataflows::rows::Entity;
use hexflow_operators::Batch;
use hexflow_operators::share::SharedBatch;
use hexflow_operators::upsert::Tally;
use hexflow_operators::versions::{Verdict, Version};
use rusqlite::{Connection, params};

use super::schema::ADVICE;
use super::statements::Upserts;
use crate::sinks::{Rows, Sink};
use crate::tables::{AuditRow, Tabled};

/// The store's writer.
pub struct Sqlite {
    store: Connection,
    path: PathBuf,
    open: bool,
    tally: Tally,
    tracks: Upserts,
    frames: Upserts,
    detections: Upserts,
}

const TRACKS: [&str; 10] = [
    "track_id",
    "citylens_track_id",
    "org_id",
    "status",
    "device_id",
    "started_at",
    "ended_at",
    "distance_meters",
    "updated_at",
    "source_version",
];
const FRAMES: [&str; 16] = [
    "frame_id",
    "track_id",
    "citylens_track_id",
    "org_id",
    "sequence",
    "captured_at",
    "lat",
    "lon",
    "altitude",
    "accuracy",
    "heading",
    "speed",
    "image_url",
    "gps_key",
    "updated_at",
    "source_version",
];
const DETECTIONS: [&str; 19] = [
    "detection_id",
    "frame_id",
    "track_id",
    "citylens_track_id",
    "org_id",
    "detector",
    "class_name",
    "confidence",
    "bbox_x",
    "bbox_y",
    "bbox_width",
    "bbox_height",
    "lat",
    "lon",
    "h3",
    "detected_at",
    "updated_at",
    "source",
    "source_version",
];

impl Sqlite {
    /// Writes into `store`, which is the file at `path`.
    pub fn new(store: Connection, path: PathBuf) -> Self {
        Sqlite {
            store,
            path,
            open: false,
            tally: Tally::default(),
            tracks: Upserts::new("tracks", &TRACKS),
            frames: Upserts::new("frames", &FRAMES),
            detections: Upserts::new("detections", &DETECTIONS),
        }
    }

    fn all<R: Entity>(
        &self,
        rows: &SharedBatch<R>,
        write: impl Fn(&Self, Ref<'_, R>, Version) -> Result<Verdict>,
    ) -> Result<Tally> {
        let mut tally = Tally::default();
        for row in Batch::iter(rows) {
            tally.count(write(self, row, R::candidate(row).version)?);
        }
        Ok(tally)
    }

    fn track(&self, track: Ref<'_, hexflow_dataflows::rows::Track>, version: Version) -> Result<Verdict> {
        let row = hexflow_dataflows::rows::Track::row(track);
        let id = row.track_id.as_str();
        let values = params![
            id,
            row.citylens_track_id,
            row.org_id,
            row.status,
            row.device_id,
            row.started_at,
            row.ended_at,
            row.distance_meters,
            row.updated_at,
            order(version),
        ];
        let verdict = self.tracks.write(&self.store, values, version)?;
        if verdict == Verdict::Upsert {
            self.mapping(id, row.citylens_track_id, row.updated_at)?;
            self.audit(&hexflow_dataflows::rows::Track::audit(track.meta, &row))?;
        }
        Ok(verdict)
    }

    fn frame(&self, frame: Ref<'_, hexflow_dataflows::rows::Frame>, version: Version) -> Result<Verdict> {
        let row = hexflow_dataflows::rows::Frame::row(frame);
        let values = params![
            row.frame_id,
            row.track_id.as_str(),
            row.citylens_track_id,
            row.org_id,
            row.sequence,
            row.captured_at,
            row.lat,
            row.lon,
            row.altitude,
            row.accuracy,
            row.heading,
            row.speed,
            row.image_url,
            row.gps_key,
            row.updated_at,
            order(version),
        ];
        let verdict = self.frames.write(&self.store, values, version)?;
        self.audit_if(verdict, &hexflow_dataflows::rows::Frame::audit(frame.meta, &row))
    }

    fn detection(&self, detection: Ref<'_, hexflow_dataflows::rows::Detection>, version: Version) -> Result<Verdict> {
        let row = hexflow_dataflows::rows::Detection::row(detection);
        let values = params![
            row.detection_id,
            row.frame_id,
            row.track_id.as_str(),
            row.citylens_track_id,
            row.org_id,
            row.detector,
            row.class_name,
            row.confidence,
            row.bbox_x,
            row.bbox_y,
            row.bbox_width,
            row.bbox_height,
            row.lat,
            row.lon,
            row.h3.as_str(),
            row.detected_at,
            row.updated_at,
            row.source,
            order(version),
        ];
        let verdict = self.detections.write(&self.store, values, version)?;
        self.audit_if(verdict, &hexflow_dataflows::rows::Detection::audit(detection.meta, &row))
    }

    /// Makes a track's mapping row; one that stands wins.
    fn mapping(&self, axion: &str, citylens: &str, created_at: i64) -> Result<()> {
        let insert = "INSERT INTO citylens_track_mapping (citylens_track_id, axion_track_id, created_at, source) \
                      VALUES (?1, ?2, ?3, 'realtime') ON CONFLICT (citylens_track_id) DO NOTHING";
        self.store.prepare_cached(insert)?.execute(params![citylens, axion, created_at])?;
        Ok(())
    }

    fn audit_if(&self, verdict: Verdict, row: &AuditRow<'_>) -> Result<Verdict> {
        if verdict == Verdict::Upsert {
            self.audit(row)?;
        }
        Ok(verdict)
    }

    fn audit(&self, row: &AuditRow<'_>) -> Result<()> {
        // One request may write a row twice: the audit says when last.
        let insert = "INSERT INTO audit_log (request_id, entity, entity_id, org_id, action, source, at) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
                      ON CONFLICT DO UPDATE SET org_id = excluded.org_id, at = excluded.at";
        let AuditRow { request_id, entity, entity_id, org_id, action, source, at } = row;
        self.store
            .prepare_cached(insert)?
            .execute(params![request_id, entity, entity_id, org_id, action, source, at])?;
        Ok(())
    }

    fn execute(&mut self, rows: &Rows) -> Result<Tally> {
        if !std::mem::replace(&mut self.open, true) {
            self.store.execute_batch("BEGIN IMMEDIATE")?;
        }
        match rows {
            Rows::Tracks(batch) => self.all(batch, Self::track),
            Rows::Frames(batch) => self.all(batch, Self::frame),
            Rows::Detections(batch) => self.all(batch, Self::detection),
            Rows::Requests(_) | Rows::DeadLetters(_) => Ok(Tally::default()),
        }
    }
}

/// SQLite's integers are signed; an order fits, since it has 63 bits.
fn order(version: Version) -> i64 {
    version.order.cast_signed()
}

impl Sink for Sqlite {
    type Work = Rows;

    fn prepare(rows: &Rows) -> Rows {
        rows.clone()
    }

    fn write(&mut self, rows: Rows) -> Result<()> {
        let written = self.execute(&rows);
        let tally = written.with_context(|| format!("cannot write the store {}: {ADVICE}", self.path.display()))?;
        self.tally.upserts += tally.upserts;
        self.tally.duplicates += tally.duplicates;
        self.tally.stale += tally.stale;
        Ok(())
    }

    fn commit(&mut self) -> Result<Tally> {
        if std::mem::take(&mut self.open) {
            let commit = self.store.execute_batch("COMMIT");
            commit.with_context(|| format!("cannot write the store {}: {ADVICE}", self.path.display()))?;
        }
        Ok(std::mem::take(&mut self.tally))
    }
}
