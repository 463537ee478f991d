//! Writes a worker's survivors as JSON lines, each with its audit.

use crate::circuit::{Survivor, Survivors};
use anyhow::Result;
use dbsp::dynamic::DowncastTrait;
use dbsp::trace::{BatchReader, Cursor};
use dbsp::typed_batch::SpineSnapshot;
use dbsp::utils::Tup3;
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use uuid::Uuid;

#[derive(Serialize)]
struct Row<'a> {
    detection_id: &'a str,
    frame_id: &'a str,
    track_id: Uuid,
    citylens_track_id: &'a str,
    org_id: Option<&'a str>,
    detector: &'a str,
    class_name: &'a str,
    confidence: f64,
    bbox_x: f64,
    bbox_y: f64,
    bbox_width: f64,
    bbox_height: f64,
    lat: f64,
    lon: f64,
    h3: &'a str,
    detected_at: i64,
    updated_at: i64,
    source: &'a str,
}

#[derive(Serialize)]
struct Audit<'a> {
    request_id: &'a str,
    entity: &'a str,
    entity_id: &'a str,
    org_id: Option<&'a str>,
    action: &'a str,
    source: &'a str,
    at: i64,
}

pub struct Output {
    detections: Lines,
    audit_log: Lines,
}

impl Output {
    pub fn create(folder: &Path, part: usize) -> Result<Self> {
        let create = |name| Lines::create(&folder.join(format!("{name}-{part}.ndjson")));
        Ok(Self { detections: create("detections")?, audit_log: create("audit_log")? })
    }

    pub fn batch(&mut self, batch: &SpineSnapshot<Survivors>) -> Result<()> {
        let mut cursor = batch.cursor();
        while cursor.key_valid() {
            self.row(cursor.key().downcast_checked())?;
            cursor.step_key();
        }
        Ok(())
    }

    fn row(&mut self, Tup3(row, track_id, cell): &Survivor) -> Result<()> {
        let [bbox_x, bbox_y, bbox_width, bbox_height] = row.bbox.map(|value| value.into_inner());
        let source = "citylens";
        self.detections.write(&Row {
            detection_id: &row.detection_id,
            frame_id: &row.frame_id,
            track_id: Uuid::from_u128(*track_id),
            citylens_track_id: &row.citylens_track_id,
            org_id: row.org_id.as_deref(),
            detector: &row.detector,
            class_name: &row.class_name,
            confidence: row.confidence.into_inner(),
            bbox_x,
            bbox_y,
            bbox_width,
            bbox_height,
            lat: row.lat.into_inner(),
            lon: row.lon.into_inner(),
            h3: &format!("{cell:x}"),
            detected_at: row.detected_at,
            updated_at: row.updated_at,
            source,
        })?;
        self.audit_log.write(&Audit {
            request_id: &row.request_id,
            entity: "detection",
            entity_id: &row.detection_id,
            org_id: row.org_id.as_deref(),
            action: "upsert",
            source,
            at: row.updated_at,
        })
    }

    pub fn close(mut self) -> Result<()> {
        self.detections.flush()?;
        self.audit_log.flush()
    }
}

/// A file of JSON lines, written in large pieces.
struct Lines {
    file: File,
    buffer: Vec<u8>,
}

impl Lines {
    const PIECE: usize = 1 << 18;

    fn create(path: &Path) -> Result<Self> {
        Ok(Self { file: File::create(path)?, buffer: Vec::with_capacity(2 * Self::PIECE) })
    }

    fn write(&mut self, row: &impl Serialize) -> Result<()> {
        sonic_rs::to_writer(&mut self.buffer, row)?;
        self.buffer.push(b'\n');
        if self.buffer.len() < Self::PIECE { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}
