//! The table `citylens_track_mapping`: read whole, asked for tracks, and added to beside other writers.

use std::collections::BTreeMap;

use postgres::binary_copy::BinaryCopyOutIter;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::Type;
use postgres::{Client, Error};
use uuid::Uuid;

use super::Postgres;
use crate::control::store::{Answer, Mapped};
use crate::patience::Failure;

/// How often rows are looked for that another writer has made, or taken out again, at that very time.
const ATTEMPTS: usize = 3;

const COPY: &str = "COPY (SELECT citylens_track_id::text, axion_track_id FROM citylens_track_mapping) TO STDOUT \
                    (FORMAT binary)";

/// Without a target, so that a conflict of the other key, with the same row made at the same time, is none either.
const INSERT: &str = "INSERT INTO citylens_track_mapping (citylens_track_id, axion_track_id, created_at, source) \
                      SELECT track, axion, now(), 'realtime' FROM unnest($1::text[], $2::uuid[]) AS made(track, axion) \
                      ON CONFLICT DO NOTHING RETURNING citylens_track_id::text, axion_track_id";

const FIND: &str = "SELECT citylens_track_id::text, axion_track_id FROM citylens_track_mapping \
                    WHERE citylens_track_id = ANY($1::text[])";

const TAKEN: &str = "SELECT citylens_track_id::text, axion_track_id FROM citylens_track_mapping \
                     WHERE axion_track_id = ANY($1::uuid[])";

/// Calls `each` with every row, as they come over the wire.
pub fn each(store: &mut Postgres, each: &mut dyn FnMut(&str, Uuid)) -> Answer<()> {
    store.ask(|client| {
        let rows = BinaryCopyOutIter::new(client.copy_out(COPY)?, &[Type::TEXT, Type::UUID]);
        rows.for_each(|row| {
            each(row.try_get(0)?, row.try_get(1)?);
            Ok(())
        })
    })
}

/// The rows that stand for `tracks`.
pub fn find(store: &mut Postgres, tracks: &[String]) -> Answer<Vec<Mapped>> {
    let tracks: Vec<&str> = tracks.iter().map(String::as_str).filter(|track| can_be_held(track)).collect();
    store.ask(|client| read(client, &tracks))
}

/// The rows that stand for `tracks`, of which those that had none were made. A track that the table cannot hold has none.
pub fn settle(store: &mut Postgres, tracks: &[Mapped]) -> Answer<Vec<Mapped>> {
    let proposed = tracks.iter().map(|(track, axion)| (track.as_str(), *axion));
    let mut open: BTreeMap<&str, Uuid> = proposed.filter(|(track, _)| can_be_held(track)).collect();
    let mut settled = Vec::with_capacity(tracks.len());
    for _ in 0..ATTEMPTS {
        let names: Vec<&str> = open.keys().copied().collect();
        // Most stand already where a run begins again: reading writes nothing.
        let stand = store.ask(|client| read(client, &names))?;
        settled.extend(take(&mut open, stand));
        if open.is_empty() {
            return Ok(settled);
        }
        let (names, ids): (Vec<&str>, Vec<Uuid>) = open.iter().map(|(track, axion)| (*track, *axion)).unzip();
        let made = store.ask(|client| rows(client.query(INSERT, &[&names, &ids])?))?;
        settled.extend(take(&mut open, made));
        if open.is_empty() {
            return Ok(settled);
        }
    }
    Err(taken(store, &open)?)
}

/// Takes the tracks of rows out of those that have none.
fn take(open: &mut BTreeMap<&str, Uuid>, rows: Vec<Mapped>) -> Vec<Mapped> {
    for (track, _) in &rows {
        open.remove(track.as_str());
    }
    rows
}

/// Why tracks have no row although they were to be made: others have their axion track ids.
fn taken(store: &mut Postgres, open: &BTreeMap<&str, Uuid>) -> Answer<Failure> {
    let ids: Vec<Uuid> = open.values().copied().collect();
    let others = store.ask(|client| rows(client.query(TAKEN, &[&ids])?))?;
    for (track, axion) in open {
        if let Some((other, _)) = others.iter().find(|(other, id)| id == axion && other != track) {
            let why = format!("track {track:?} is to have the axion track id {axion}, which track {other:?} has");
            return Ok(Failure::Final(why, "correct the rows of citylens_track_mapping: an id is of one track"));
        }
    }
    Ok(Failure::Passing("rows of citylens_track_mapping come and go".to_owned()))
}

/// A text of PostgreSQL's holds any character but this.
fn can_be_held(track: &str) -> bool {
    !track.contains('\0')
}

fn read(client: &mut Client, tracks: &[&str]) -> Result<Vec<Mapped>, Error> {
    rows(client.query(FIND, &[&tracks])?)
}

fn rows(rows: Vec<postgres::Row>) -> Result<Vec<Mapped>, Error> {
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
