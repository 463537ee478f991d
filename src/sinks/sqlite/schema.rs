//! The store's tables, and how the file is opened.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use uuid::Uuid;

/// How long a writer waits for another process's lock.
const BUSY: Duration = Duration::from_secs(5);

/// Time between two attempts at a file that is locked.
const AGAIN: Duration = Duration::from_millis(20);

/// The tables of FORMATS, times in ms since the epoch. `source_version` orders versions of one `updated_at`: ns beyond the
/// millisecond and the record's offset, as [`hexflow_operators::versions::order_of`] packs them. `sensor_readings`,
/// `alert_states`, `alert_notices` and `watermarks`, and where the record of a camera's detection stood, are what a later run goes on
/// from: see [`crate::restored`].
const TABLES: &str = r#"
CREATE TABLE IF NOT EXISTS tracks (
    track_id TEXT PRIMARY KEY NOT NULL, citylens_track_id TEXT NOT NULL, org_id TEXT, status TEXT NOT NULL,
    device_id TEXT, started_at INTEGER NOT NULL, ended_at INTEGER, distance_meters REAL, updated_at INTEGER NOT NULL,
    source_version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS frames (
    frame_id TEXT PRIMARY KEY NOT NULL, track_id TEXT NOT NULL, citylens_track_id TEXT NOT NULL, org_id TEXT,
    sequence INTEGER NOT NULL, captured_at INTEGER NOT NULL, lat REAL NOT NULL, lon REAL NOT NULL, altitude REAL,
    accuracy REAL, heading REAL, speed REAL, image_url TEXT, gps_key TEXT, updated_at INTEGER NOT NULL,
    source_version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS detections (
    detection_id TEXT PRIMARY KEY NOT NULL, frame_id TEXT NOT NULL, track_id TEXT NOT NULL,
    citylens_track_id TEXT NOT NULL, org_id TEXT, detector TEXT NOT NULL, class_name TEXT NOT NULL,
    confidence REAL NOT NULL, bbox_x REAL NOT NULL, bbox_y REAL NOT NULL, bbox_width REAL NOT NULL,
    bbox_height REAL NOT NULL, lat REAL NOT NULL, lon REAL NOT NULL, h3 TEXT NOT NULL, detected_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL, source TEXT NOT NULL, source_version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS audit_log (
    request_id TEXT NOT NULL, entity TEXT NOT NULL, entity_id TEXT NOT NULL, org_id TEXT, action TEXT NOT NULL,
    source TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (request_id, entity, entity_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS citylens_track_mapping (
    citylens_track_id TEXT PRIMARY KEY NOT NULL, axion_track_id TEXT UNIQUE NOT NULL, created_at INTEGER NOT NULL,
    source TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS migration_state (initial_migration_done INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS skipped_offsets (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL, reason TEXT NOT NULL,
    "by" TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (topic, partition, "offset"));
CREATE TABLE IF NOT EXISTS stalled_partitions (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL, reason TEXT NOT NULL,
    head TEXT NOT NULL, since INTEGER NOT NULL, "by" TEXT NOT NULL, PRIMARY KEY (topic, partition));
CREATE TABLE IF NOT EXISTS sensor_travelers (
    sensor_id INTEGER NOT NULL, traveler_id TEXT NOT NULL, entered_at INTEGER NOT NULL, traveler_type TEXT NOT NULL,
    left_at INTEGER NOT NULL, min_speed REAL, max_speed REAL, avg_speed REAL, samples INTEGER NOT NULL,
    PRIMARY KEY (sensor_id, traveler_id, entered_at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sensor_windows (
    sensor_id INTEGER NOT NULL, traveler_type TEXT NOT NULL, window_end INTEGER NOT NULL, window_ms INTEGER NOT NULL,
    min_speed REAL, max_speed REAL, avg_speed REAL, samples INTEGER NOT NULL, travelers INTEGER NOT NULL,
    PRIMARY KEY (sensor_id, traveler_type, window_end)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sensor_readings (
    sensor_id INTEGER NOT NULL, traveler_id TEXT NOT NULL, at INTEGER NOT NULL, traveler_type TEXT NOT NULL,
    x REAL NOT NULL, y REAL NOT NULL, source_ts INTEGER NOT NULL, source_partition INTEGER NOT NULL,
    source_offset INTEGER NOT NULL, PRIMARY KEY (sensor_id, traveler_id, at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS camera_detections (
    detection_oid INTEGER PRIMARY KEY NOT NULL, geographical_location_oid INTEGER NOT NULL, geographical_location TEXT,
    video_camera_oid INTEGER NOT NULL, item_name TEXT NOT NULL, detected_at INTEGER NOT NULL,
    source_ts INTEGER NOT NULL, source_partition INTEGER NOT NULL, source_offset INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS camera_windows (
    geographical_location_oid INTEGER NOT NULL, item_name TEXT NOT NULL, window_start INTEGER NOT NULL,
    window_ms INTEGER NOT NULL, detections INTEGER NOT NULL,
    PRIMARY KEY (geographical_location_oid, item_name, window_start)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alerts (
    rule TEXT NOT NULL, key TEXT NOT NULL, fired_at INTEGER NOT NULL, figure TEXT NOT NULL, state TEXT NOT NULL,
    threshold REAL, value REAL, resolved_at INTEGER, resolved_value REAL,
    PRIMARY KEY (rule, key, fired_at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alert_states (
    rule TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, pending_since INTEGER, fired_at INTEGER, value REAL,
    last_fired INTEGER, PRIMARY KEY (rule, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alert_notices (
    pipeline TEXT NOT NULL, number INTEGER NOT NULL, rule TEXT NOT NULL, key TEXT NOT NULL, fired_at INTEGER NOT NULL,
    figure TEXT NOT NULL, state TEXT NOT NULL, threshold REAL, value REAL, resolved_at INTEGER, resolved_value REAL,
    PRIMARY KEY (pipeline, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS watermarks (
    topic TEXT NOT NULL, kind TEXT NOT NULL, partition INTEGER NOT NULL, value INTEGER NOT NULL,
    PRIMARY KEY (topic, kind, partition)) WITHOUT ROWID;
"#;

/// A small installation has nothing to migrate, unless a row says otherwise.
const FIRST_STATE: &str = "INSERT INTO migration_state SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM migration_state)";

/// Opens the store for writing, and makes what it lacks.
///
/// Fails if the file cannot be made, is no SQLite database, or is locked by another process for longer than 5 s.
pub fn open(path: &Path) -> Result<Connection> {
    let connect = || -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let store = Connection::open_with_flags(path, flags)?;
        store.busy_timeout(BUSY)?;
        store.pragma_update(None, "page_size", 8_192)?; // of a new store
        store.pragma_update(None, "journal_mode", "wal")?;
        store.pragma_update(None, "synchronous", "full")?; // what is acknowledged outlives a power cut
        store.pragma_update(None, "cache_size", -131_072)?; // KiB
        store.pragma_update(None, "wal_autocheckpoint", 8_192)?; // pages: a checkpoint a commit is too often
        store.execute_batch(TABLES)?;
        if !store.query_row("SELECT EXISTS (SELECT 1 FROM migration_state)", [], |row| row.get(0))? {
            store.execute_batch(FIRST_STATE)?;
        }
        store.set_prepared_statement_cache_capacity(32);
        Ok(store)
    };
    let deadline = Instant::now() + BUSY;
    let mut opened = connect();
    // SQLite itself does not wait for a lock to make a file's journal a write-ahead log, which another connection may be at.
    while opened.as_ref().is_err_and(|error| is_locked(error) == Some(true)) && Instant::now() < deadline {
        sleep(AGAIN);
        opened = connect();
    }
    opened.with_context(|| format!("cannot open the store {}: {}", path.display(), ADVICE))
}

/// Whether an error is another's lock, which passes; none if it does not come of SQLite at all.
pub fn is_locked(error: &anyhow::Error) -> Option<bool> {
    let code = error.chain().find_map(|cause| cause.downcast_ref::<rusqlite::Error>()?.sqlite_error_code())?;
    Some(matches!(code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Opens the store for reading alone.
pub fn open_to_read(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let store = Connection::open_with_flags(path, flags);
    store.with_context(|| format!("cannot read the store {}", path.display()))
}

/// What an operator can do about a store that cannot be used.
pub const ADVICE: &str = "check that its folder is writable, that the disk has room, and that no other process holds it; \
                          what was stored stays, and the same command run again completes the work";

/// The mapping rows that stand in the store: Citylens track id and axion track id.
pub fn stored_mapping(store: &Connection) -> Result<Vec<(String, Uuid)>> {
    let mut select = store.prepare("SELECT citylens_track_id, axion_track_id FROM citylens_track_mapping")?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.map(|row| mapped(row.context("cannot read the table citylens_track_mapping")?)).collect()
}

/// The row that stands for one track.
pub fn mapping_of(store: &Connection, track: &str) -> Result<Option<(String, Uuid)>> {
    let select = "SELECT citylens_track_id, axion_track_id FROM citylens_track_mapping WHERE citylens_track_id = ?1";
    let row = store.prepare_cached(select)?.query_row([track], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    row.map(mapped).transpose()
}

fn mapped((track, axion): (String, String)) -> Result<(String, Uuid)> {
    let id = axion.parse().with_context(|| {
        format!(
            "table citylens_track_mapping, track {track:?}: axion_track_id {axion:?} is not a UUID; correct the row"
        )
    })?;
    Ok((track, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_opened_by_many_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for file in 0..20 {
            let path = folder.path().join(file.to_string());
            std::thread::scope(|scope| {
                let opened: Vec<_> = (0..4).map(|_| scope.spawn(|| open(&path).map(drop))).collect();
                opened.into_iter().for_each(|opened| opened.join().unwrap().unwrap());
            });
        }
    }
}
