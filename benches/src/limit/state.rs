//! All that is remembered and written, and how a record changes it.

use std::fs;
use std::hint::black_box;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use hashbrown::HashTable;
use uuid::Uuid;
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

use super::cell::Cells;
use super::message::{Detection, Frame, Message, Record, Track};
use super::rows::{self, Axion, Row};
use super::table::{Key, Lines, Version, Versions, place};
use super::time::{Clock, Time};
use super::unusual::unescaped;

/// A UUID v5 of `hexflow.axion.track` in the DNS namespace.
const NAMESPACE: Uuid = Uuid::from_u128(0x90d4_8659_c0a2_5646_953c_e739_c431_5257);

const BEFORE_TRACK: &str = "a record before its track";

/// A record, and what it is known by.
pub(super) struct Named<'a> {
    record: Record<'a>,
    /// Of the row.
    key: Key,
    /// Of the Citylens track.
    track: Key,
    /// A hash of what was sent, and of the tenant.
    content: u64,
}

impl<'a> Named<'a> {
    #[inline]
    pub(super) fn of(record: Record<'a>) -> Self {
        let (id, track_id) = match &record.message {
            Message::Track(track) => (track.track_id, track.track_id),
            Message::Frame(frame) => (frame.frame_id, frame.track_id),
            Message::Detection(seen) => (seen.detection_id, seen.track_id),
        };
        let org = record.org_id.map_or(0, |org| xxh3_64_with_seed(org, 1));
        let content = xxh3_64_with_seed(record.payload, org);
        Named { key: xxh3_128(id), track: xxh3_128(track_id), content, record }
    }

    fn version(&self, updated: Time) -> Version {
        Version { key: self.key, updated_ns: updated.0, content: self.content }
    }

    /// At least how long the texts of a row are together.
    fn texts(&self) -> usize {
        let of_headers = self.record.request_id.len() + self.record.org_id.map_or(0, <[u8]>::len);
        self.record.payload.len() + of_headers
    }
}

/// All that is remembered and written.
pub(super) struct State {
    pub(super) clock: Clock,
    cells: Cells,
    axion: HashTable<(Key, Axion)>,
    tracks: (Versions, Lines),
    frames: (Versions, Lines),
    detections: (Versions, Lines),
    audit: Lines,
    objects: PathBuf,
}

impl State {
    pub(super) fn create(out: &Path) -> Result<Self> {
        let table = |name| anyhow::Ok((Versions::default(), Lines::create(out, name)?));
        Ok(State {
            clock: Clock::default(),
            cells: Cells::default(),
            axion: HashTable::new(),
            tracks: table("tracks")?,
            frames: table("frames")?,
            detections: table("detections")?,
            audit: Lines::create(out, "audit_log")?,
            objects: out.join("objects"),
        })
    }

    pub(super) fn finish(mut self) -> Result<()> {
        [&mut self.tracks.1, &mut self.frames.1, &mut self.detections.1, &mut self.audit]
            .into_iter()
            .try_for_each(Lines::flush)
    }

    /// Brings what a record changes into the caches.
    #[inline]
    pub(super) fn touch(&self, named: &Named<'_>) {
        black_box(match named.record.message {
            Message::Track(_) => self.tracks.0.touch(named.key),
            Message::Frame(_) => self.frames.0.touch(named.key),
            Message::Detection(_) => self.detections.0.touch(named.key),
        });
    }

    /// Lets a record change what it may.
    #[inline]
    pub(super) fn apply(&mut self, named: &Named<'_>) -> Result<()> {
        match &named.record.message {
            Message::Track(track) => self.track(named, track),
            Message::Frame(frame) => self.frame(named, frame),
            Message::Detection(seen) => self.detection(named, seen),
        }
    }

    #[inline]
    fn axion(&self, named: &Named<'_>) -> Option<Axion> {
        self.axion.find(place(named.track), |(key, _)| *key == named.track).map(|(_, axion)| *axion)
    }

    fn track(&mut self, named: &Named<'_>, track: &Track<'_>) -> Result<()> {
        let axion = if let Some(axion) = self.axion(named) {
            axion
        } else {
            let id = Uuid::new_v5(&NAMESPACE, unescaped(track.track_id)?.as_bytes());
            let mut axion = [0; 36];
            id.hyphenated().encode_lower(&mut axion);
            self.axion.insert_unique(place(named.track), (named.track, axion), |(key, _)| place(*key));
            axion
        };
        if !self.tracks.0.wins(named.version(track.updated_at)) {
            return Ok(());
        }
        self.tracks.1.row(named.texts())?;
        let row = Row::new(&named.record, &axion, track.updated_at);
        rows::track(&mut self.tracks.1, &row, track);
        self.audit(named, &row, b"track", &axion)
    }

    fn frame(&mut self, named: &Named<'_>, frame: &Frame<'_>) -> Result<()> {
        let axion = self.axion(named).context(BEFORE_TRACK)?;
        if !self.frames.0.wins(named.version(frame.updated_at)) {
            return Ok(());
        }
        let mut gps_key = None;
        if let Some(fixes) = &frame.gps {
            let axion = std::str::from_utf8(&axion)?;
            let key = format!("gps/{axion}/{:032x}-{:016x}.json", named.key, named.content);
            put(&self.objects.join(&key), &fixes.text())?;
            gps_key = Some(key);
        }
        self.frames.1.row(named.texts())?;
        let row = Row::new(&named.record, &axion, frame.updated_at);
        rows::frame(&mut self.frames.1, &row, frame, gps_key.as_deref());
        self.audit(named, &row, b"frame", frame.frame_id)
    }

    fn detection(&mut self, named: &Named<'_>, seen: &Detection<'_>) -> Result<()> {
        let axion = self.axion(named).context(BEFORE_TRACK)?;
        if !self.detections.0.wins(named.version(seen.updated_at)) {
            return Ok(());
        }
        let place = seen.location.lat.value().zip(seen.location.lon.value());
        let cell = place.and_then(|(lat, lon)| self.cells.find(lat, lon)).context("a place that is none")?;
        self.detections.1.row(named.texts())?;
        let row = Row::new(&named.record, &axion, seen.updated_at);
        rows::detection(&mut self.detections.1, &row, seen, &cell);
        self.audit(named, &row, b"detection", seen.detection_id)
    }

    #[inline(always)]
    fn audit(&mut self, named: &Named<'_>, row: &Row<'_>, entity: &[u8], entity_id: &[u8]) -> Result<()> {
        self.audit.row(named.texts())?;
        rows::audit(&mut self.audit, row, entity, entity_id);
        Ok(())
    }
}

/// Writes an object; makes its folder if it is the first there.
fn put(path: &Path, object: &str) -> Result<()> {
    match fs::write(path, object) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(path.parent().unwrap_or(path))?;
            fs::write(path, object)?;
        }
        written => written?,
    }
    Ok(())
}
