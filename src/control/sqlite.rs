//! The embedded store as the control store: the same file that rows go to, over a connection of its own.

use std::path::PathBuf;

use anyhow::Context;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::store::{Answer, ControlStore, Mapped, RecordPlace, Skip, Standing};
use super::watch::now_ms;
use crate::patience::Failure;
use crate::sinks::sqlite::{self, schema::ADVICE, schema::is_locked};

/// The last row counts: there should be one.
const MIGRATED: &str = "SELECT initial_migration_done FROM migration_state ORDER BY rowid DESC LIMIT 1";

const MAKE: &str = "INSERT INTO citylens_track_mapping (citylens_track_id, axion_track_id, created_at, source) \
                    VALUES (?1, ?2, ?3, 'realtime') ON CONFLICT (citylens_track_id) DO NOTHING";

const ADD_SKIP: &str = "INSERT INTO skipped_offsets (topic, partition, \"offset\", reason, \"by\", at) \
                        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";

const STANDING: &str = "SELECT topic, partition, \"offset\", reason, head, since, \"by\" FROM stalled_partitions \
                        ORDER BY topic, partition";

const PUT: &str = "INSERT OR REPLACE INTO stalled_partitions (topic, partition, \"offset\", reason, head, since, \"by\") \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// A connection, opened when it is first used.
pub struct Sqlite {
    path: PathBuf,
    name: String,
    /// Whether to make the file if it is not there.
    create: bool,
    store: Option<Connection>,
}

impl Sqlite {
    /// Of the file at `path`; nothing is opened yet.
    pub fn new(path: PathBuf, create: bool) -> Self {
        let name = format!("the store {}", path.display());
        Sqlite { path, name, create, store: None }
    }

    fn ask<T>(&mut self, question: impl FnOnce(&mut Connection) -> anyhow::Result<T>) -> Answer<T> {
        if self.store.is_none() && !self.create && !self.path.exists() {
            let why =
                "it is not there yet: the first process makes it; processes on several machines need postgres.url";
            return Err(Failure::Passing(why.to_owned()));
        }
        let store = match self.store.take() {
            Some(store) => Ok(store),
            None => sqlite::open(&self.path),
        };
        let answer = store.and_then(|mut store| {
            let answer = question(&mut store);
            self.store = Some(store);
            answer
        });
        answer.map_err(|error| failure(&error))
    }
}

/// A lock passes, and so does a row that somebody corrects; whatever else is wrong with a file does not.
fn failure(error: &anyhow::Error) -> Failure {
    match is_locked(error) {
        None | Some(true) => Failure::Passing(format!("{error:#}")),
        Some(false) => Failure::Final(format!("{error:#}"), ADVICE),
    }
}

impl ControlStore for Sqlite {
    fn name(&self) -> &str {
        &self.name
    }

    fn each_mapping(&mut self, each: &mut dyn FnMut(&str, Uuid)) -> Answer<()> {
        self.ask(|store| {
            sqlite::stored_mapping(store)?.iter().for_each(|(track, axion)| each(track, *axion));
            Ok(())
        })
    }

    fn settle(&mut self, tracks: &[Mapped]) -> Answer<Vec<Mapped>> {
        self.ask(|store| {
            let stand = all_of(store, tracks.iter().map(|(track, _)| track))?;
            if stand.len() == tracks.len() {
                return Ok(stand);
            }
            let transaction = store.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            {
                let mut make = transaction.prepare_cached(MAKE)?;
                for (track, axion) in tracks {
                    let told =
                        || format!("cannot give track {track:?} the axion track id {axion}: another track has it");
                    make.execute(params![track, axion.to_string(), now_ms()]).with_context(told)?;
                }
            }
            let stand = all_of(&transaction, tracks.iter().map(|(track, _)| track))?;
            transaction.commit()?;
            Ok(stand)
        })
    }

    fn find(&mut self, tracks: &[String]) -> Answer<Vec<Mapped>> {
        self.ask(|store| all_of(store, tracks.iter()))
    }

    fn migrated(&mut self) -> Answer<Option<bool>> {
        self.ask(|store| Ok(store.prepare_cached(MIGRATED)?.query_row([], |row| row.get(0)).optional()?))
    }

    fn skips(&mut self) -> Answer<Vec<RecordPlace>> {
        self.ask(|store| {
            let mut select = store.prepare_cached("SELECT topic, partition, \"offset\" FROM skipped_offsets")?;
            let rows = select.query_map([], |row| {
                Ok(RecordPlace { topic: row.get(0)?, partition: row.get(1)?, offset: offset(row)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn skips_at(&mut self, places: &[RecordPlace]) -> Answer<Vec<RecordPlace>> {
        self.ask(|store| {
            let asked = "SELECT 1 FROM skipped_offsets WHERE topic = ?1 AND partition = ?2 AND \"offset\" = ?3";
            let mut asked = store.prepare_cached(asked)?;
            let mut found = Vec::new();
            for place in places {
                if asked.exists(params![place.topic, place.partition, place.offset.cast_signed()])? {
                    found.push(place.clone());
                }
            }
            Ok(found)
        })
    }

    fn add_skip(&mut self, Skip { place, reason, by }: &Skip) -> Answer<bool> {
        let (RecordPlace { topic, partition, .. }, offset) = (place, place.offset.cast_signed());
        self.ask(|store| Ok(store.execute(ADD_SKIP, params![topic, partition, offset, reason, by, now_ms()])? > 0))
    }

    fn standing(&mut self) -> Answer<Vec<Standing>> {
        self.ask(|store| {
            let mut select = store.prepare_cached(STANDING)?;
            let rows = select.query_map([], |row| {
                let (topic, partition, offset) = (row.get(0)?, row.get(1)?, offset(row)?);
                let (reason, head, since, by) = (row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?);
                Ok(Standing { topic, partition, offset, reason, head, since, by })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn write_standing(&mut self, gone: &[(String, u32)], there: &[Standing]) -> Answer<()> {
        self.ask(|store| {
            let transaction = store.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            for (topic, partition) in gone {
                let remove = "DELETE FROM stalled_partitions WHERE topic = ?1 AND partition = ?2";
                transaction.execute(remove, params![topic, partition])?;
            }
            for Standing { topic, partition, offset, reason, head, since, by } in there {
                let offset = offset.cast_signed();
                transaction.execute(PUT, params![topic, partition, offset, reason, head, since, by])?;
            }
            Ok(transaction.commit()?)
        })
    }
}

/// The third column as an offset.
fn offset(row: &rusqlite::Row<'_>) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(2)?.cast_unsigned())
}

/// The rows that stand for those of `tracks` that have one.
fn all_of<'a>(store: &Connection, tracks: impl Iterator<Item = &'a String>) -> anyhow::Result<Vec<Mapped>> {
    let rows = tracks.map(|track| sqlite::mapping_of(store, track));
    rows.filter_map(Result::transpose).collect()
}
