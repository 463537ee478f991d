//! Tables as lines of JSON: `DIR/<table>.ndjson`, a line for each upsert, the last of a key being its row.
//!
//! Each run writes the files anew. Of several processes each writes its own, `<table>.p<process>.ndjson`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use hexflow_operators::upsert::Tally;
use serde::Serialize;

use super::{Rows, Sink};
use crate::tables::{DetectionRow, FrameRow, TrackRow, audit};

/// Writes lines into the files of a folder.
pub struct Ndjson {
    tracks: Lines,
    frames: Lines,
    detections: Lines,
    audit: Lines,
}

/// One file of lines.
struct Lines {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Ndjson {
    /// Makes the folder and its files; `suffix` comes after each table's name.
    pub fn create(folder: &Path, suffix: &str) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let lines = |table: &str| Lines::create(folder.join(format!("{table}{suffix}.ndjson")));
        Ok(Ndjson {
            tracks: lines("tracks")?,
            frames: lines("frames")?,
            detections: lines("detections")?,
            audit: lines("audit_log")?,
        })
    }
}

impl Lines {
    fn create(path: PathBuf) -> Result<Self> {
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Lines { path, file: BufWriter::with_capacity(1 << 18, file) })
    }

    fn write(&mut self, row: &impl Serialize) -> Result<()> {
        let written = serde_json::to_writer(&mut self.file, row).map_err(std::io::Error::from);
        written
            .and_then(|()| self.file.write_all(b"\n"))
            .with_context(|| format!("cannot write {}", self.path.display()))
    }

    fn commit(&mut self) -> Result<()> {
        self.file.flush().with_context(|| format!("cannot write {}", self.path.display()))
    }
}

impl Sink for Ndjson {
    fn write(&mut self, rows: &Rows) -> Result<Tally> {
        match rows {
            Rows::Tracks(batch) => {
                for track in batch.iter() {
                    let row = TrackRow::of(track);
                    self.tracks.write(&row)?;
                    self.audit.write(&audit(track.meta, "track", row.track_id.as_str()))?;
                }
            }
            Rows::Frames(batch) => {
                for frame in batch.iter() {
                    let row = FrameRow::of(frame);
                    self.frames.write(&row)?;
                    self.audit.write(&audit(frame.meta, "frame", row.frame_id))?;
                }
            }
            Rows::Detections(batch) => {
                for detection in batch.iter() {
                    let row = DetectionRow::of(detection);
                    self.detections.write(&row)?;
                    self.audit.write(&audit(detection.meta, "detection", row.detection_id))?;
                }
            }
            Rows::Requests(_) | Rows::DeadLetters(_) => return Ok(Tally::default()),
        }
        Ok(Tally { upserts: rows.len() as u64, ..Tally::default() })
    }

    fn commit(&mut self) -> Result<()> {
        [&mut self.tracks, &mut self.frames, &mut self.detections, &mut self.audit]
            .into_iter()
            .try_for_each(Lines::commit)
    }
}
