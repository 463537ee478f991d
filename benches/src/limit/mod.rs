//! The limit: a single-threaded program, written by hand for these three topics, without a framework.
//!
//! Files merged by time, payloads read borrowed, a hash join of tracks with their axion ids, exact deduplication by primary
//! key, H3 cells, buffered lines of JSON. It reads what `hexflow generate` writes and stops at anything else: it knows no
//! stalls, checks no ranges, and calls content equal when its bytes are. All that it leaves out makes it faster.

use std::collections::hash_map::{Entry, HashMap};
use std::fs::{self, File};
use std::hash::{BuildHasherDefault, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use h3o::{LatLng, Resolution};
use serde::Serialize;
use uuid::Uuid;
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

mod message;

use self::message::{Detection, Frame, Input, Record, Track, instant_ns};

/// A UUID v5 of `hexflow.axion.track` in the DNS namespace.
const NAMESPACE: Uuid = Uuid::from_u128(0x90d4_8659_c0a2_5646_953c_e739_c431_5257);

/// Bytes of lines that are written at once.
const BUFFER_BYTES: usize = 1 << 18;

/// Keys are hashes: their lower half places them.
#[derive(Default)]
struct Lower(u64);

impl Hasher for Lower {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, 0);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

type ByKey<V> = HashMap<u128, V, BuildHasherDefault<Lower>>;

/// The version of a row that won so far.
struct Version {
    updated_ns: i64,
    offset: u64,
    content: u64,
}

/// A table's file and the versions of its rows.
struct Table {
    file: File,
    lines: Vec<u8>,
    versions: ByKey<Version>,
}

impl Table {
    fn create(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(name).with_extension("ndjson");
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Table { file, lines: Vec::with_capacity(2 * BUFFER_BYTES), versions: ByKey::default() })
    }

    /// Whether a version wins: the newest does; of equal age with other content, the later offset.
    fn wins(&mut self, key: u128, version: Version) -> bool {
        match self.versions.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(version);
                true
            }
            Entry::Occupied(mut entry) => {
                let standing = entry.get();
                let newer = (version.updated_ns, version.offset) > (standing.updated_ns, standing.offset);
                let same = version.updated_ns == standing.updated_ns && version.content == standing.content;
                if newer && !same {
                    entry.insert(version);
                }
                newer && !same
            }
        }
    }

    fn write(&mut self, row: &impl Serialize) -> Result<()> {
        serde_json::to_writer(&mut self.lines, row)?;
        self.lines.push(b'\n');
        if self.lines.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_all(&self.lines)?;
        self.lines.clear();
        Ok(())
    }
}

/// A row of `tracks`.
#[derive(Serialize)]
struct TrackRow<'a> {
    track_id: &'a str,
    citylens_track_id: &'a str,
    org_id: Option<&'a str>,
    status: &'a str,
    device_id: Option<&'a str>,
    started_at: i64,
    ended_at: Option<i64>,
    distance_meters: Option<f64>,
    updated_at: i64,
}

/// A row of `frames`.
#[derive(Serialize)]
struct FrameRow<'a> {
    frame_id: &'a str,
    track_id: &'a str,
    citylens_track_id: &'a str,
    org_id: Option<&'a str>,
    sequence: u32,
    captured_at: i64,
    lat: f64,
    lon: f64,
    altitude: Option<f64>,
    accuracy: Option<f64>,
    heading: Option<f64>,
    speed: Option<f64>,
    image_url: Option<&'a str>,
    gps_key: Option<String>,
    updated_at: i64,
}

/// A row of `detections`.
#[derive(Serialize)]
struct DetectionRow<'a> {
    detection_id: &'a str,
    frame_id: &'a str,
    track_id: &'a str,
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

/// A row of `audit_log`.
#[derive(Serialize)]
struct AuditRow<'a> {
    request_id: &'a str,
    entity: &'a str,
    entity_id: &'a str,
    org_id: Option<&'a str>,
    action: &'a str,
    source: &'a str,
    at: i64,
}

/// All that is remembered and written.
struct Limit {
    axion: ByKey<Box<str>>,
    tracks: Table,
    frames: Table,
    detections: Table,
    audit: Table,
    objects: PathBuf,
}

/// Reads the dumps of the three topics in `dumps`, and writes the tables into `out`.
pub(crate) fn run(dumps: &Path, out: &Path) -> Result<()> {
    fs::create_dir_all(out)?;
    let mut limit = Limit {
        axion: ByKey::default(),
        tracks: Table::create(out, "tracks")?,
        frames: Table::create(out, "frames")?,
        detections: Table::create(out, "detections")?,
        audit: Table::create(out, "audit_log")?,
        objects: out.join("objects"),
    };
    let mut inputs = [
        Input::open(dumps, "axion.sense.citylens.track.lifecycle", "citylens-track")?,
        Input::open(dumps, "axion.sense.citylens.frame.lifecycle", "citylens-frame")?,
        Input::open(dumps, "axion.sense.citylens.detections", "citylens-detection")?,
    ];
    let mut plain = Vec::new();
    // Of equal times the first: a track before its frames, and these before what is seen in them.
    while let Some(at) = (0..inputs.len()).filter(|&at| !inputs[at].ended()).min_by_key(|&at| inputs[at].ts) {
        if let Some(record) = inputs[at].record(&mut plain)? {
            match at {
                0 => limit.track(&record),
                1 => limit.frame(&record),
                _ => limit.detection(&record),
            }
            .with_context(|| format!("{at}, offset {}: {}", record.offset, record.payload))?;
        }
        inputs[at].advance()?;
    }
    [&mut limit.tracks, &mut limit.frames, &mut limit.detections, &mut limit.audit]
        .into_iter()
        .try_for_each(Table::flush)
}

impl Limit {
    fn track(&mut self, record: &Record<'_>) -> Result<()> {
        let track: Track<'_> = serde_json::from_str(record.payload)?;
        let key = key_of(track.track_id);
        let axion = self.axion.entry(key).or_insert_with(|| {
            let id = Uuid::new_v5(&NAMESPACE, track.track_id.as_bytes());
            id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).to_owned().into_boxed_str()
        });
        let updated_ns = instant_ns(track.updated_at)?;
        if !self.tracks.wins(key, version(record, updated_ns)) {
            return Ok(());
        }
        self.tracks.write(&TrackRow {
            track_id: axion,
            citylens_track_id: track.track_id,
            org_id: record.org_id,
            status: track.status,
            device_id: track.device_id,
            started_at: ms(instant_ns(track.started_at)?),
            ended_at: track.ended_at.map(instant_ns).transpose()?.map(ms),
            distance_meters: track.distance_meters,
            updated_at: ms(updated_ns),
        })?;
        self.audit.write(&audit(record, "track", axion, updated_ns))
    }

    fn frame(&mut self, record: &Record<'_>) -> Result<()> {
        let frame: Frame<'_> = serde_json::from_str(record.payload)?;
        let axion = self.axion.get(&key_of(frame.track_id)).context("a frame before its track")?;
        let (key, updated_ns) = (key_of(frame.frame_id), instant_ns(frame.updated_at)?);
        let version = version(record, updated_ns);
        let content = version.content;
        if !self.frames.wins(key, version) {
            return Ok(());
        }
        let gps_key = frame.gps.map(|_| format!("gps/{axion}/{key:032x}-{content:016x}.json"));
        if let (Some(gps), Some(gps_key)) = (frame.gps, &gps_key) {
            put(&self.objects.join(gps_key), gps.get())?;
        }
        self.frames.write(&FrameRow {
            frame_id: frame.frame_id,
            track_id: axion,
            citylens_track_id: frame.track_id,
            org_id: record.org_id,
            sequence: frame.sequence,
            captured_at: ms(instant_ns(frame.captured_at)?),
            lat: frame.location.lat,
            lon: frame.location.lon,
            altitude: frame.location.altitude,
            accuracy: frame.location.accuracy,
            heading: frame.heading,
            speed: frame.speed,
            image_url: frame.image_url,
            gps_key,
            updated_at: ms(updated_ns),
        })?;
        self.audit.write(&audit(record, "frame", frame.frame_id, updated_ns))
    }

    fn detection(&mut self, record: &Record<'_>) -> Result<()> {
        let seen: Detection<'_> = serde_json::from_str(record.payload)?;
        let axion = self.axion.get(&key_of(seen.track_id)).context("a detection before its track")?;
        let updated_ns = instant_ns(seen.updated_at)?;
        if !self.detections.wins(key_of(seen.detection_id), version(record, updated_ns)) {
            return Ok(());
        }
        let (lat, lon) = (seen.location.lat, seen.location.lon);
        let cell = hex(u64::from(LatLng::new(lat, lon)?.to_cell(Resolution::Two)));
        self.detections.write(&DetectionRow {
            detection_id: seen.detection_id,
            frame_id: seen.frame_id,
            track_id: axion,
            citylens_track_id: seen.track_id,
            org_id: record.org_id,
            detector: seen.detector,
            class_name: seen.class_name,
            confidence: seen.confidence,
            bbox_x: seen.bbox.x,
            bbox_y: seen.bbox.y,
            bbox_width: seen.bbox.width,
            bbox_height: seen.bbox.height,
            lat,
            lon,
            h3: std::str::from_utf8(&cell)?,
            detected_at: ms(instant_ns(seen.detected_at)?),
            updated_at: ms(updated_ns),
            source: "citylens",
        })?;
        self.audit.write(&audit(record, "detection", seen.detection_id, updated_ns))
    }
}

fn key_of(id: &str) -> u128 {
    xxh3_128(id.as_bytes())
}

fn ms(ns: i64) -> i64 {
    ns.div_euclid(1_000_000)
}

/// A record's version; its content is what was sent, and the tenant.
fn version(record: &Record<'_>, updated_ns: i64) -> Version {
    let org = record.org_id.map_or(0, |org| xxh3_64_with_seed(org.as_bytes(), 1));
    Version { updated_ns, offset: record.offset, content: xxh3_64_with_seed(record.payload.as_bytes(), org) }
}

fn audit<'a>(record: &Record<'a>, entity: &'a str, entity_id: &'a str, updated_ns: i64) -> AuditRow<'a> {
    AuditRow {
        request_id: record.request_id,
        entity,
        entity_id,
        org_id: record.org_id,
        action: "upsert",
        source: "citylens",
        at: ms(updated_ns),
    }
}

/// The 15 hex digits of a cell.
fn hex(cell: u64) -> [u8; 15] {
    std::array::from_fn(|at| b"0123456789abcdef"[(cell >> (4 * (14 - at)) & 0xf) as usize])
}

/// Writes an object; makes its folder if it is the first there.
fn put(path: &Path, object: &str) -> Result<()> {
    match fs::write(path, object) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            fs::create_dir_all(path.parent().unwrap_or(path))?;
            fs::write(path, object)?;
        }
        written => written?,
    }
    Ok(())
}
