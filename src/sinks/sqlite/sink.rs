//! Writes rows into the store: each with its audit, in transactions that hold many batches.
//!
//! A row is written if it is new or newer than what stands; otherwise it and its audit are left out. Row and audit share a
//! transaction, so after a crash either both are there or neither: a replay of what was stored changes nothing.

use std::path::PathBuf;

use anyhow::{Context, Result};
use hexflow_dataflows::rows::{Detection, Frame, Track, text};
use hexflow_operators::upsert::Tally;
use hexflow_operators::versions::Verdict;
use rusqlite::{Connection, params};

use super::order::{Place, Prepared, sorted};
use super::schema::ADVICE;
use super::statements::{ORDER, Upsert, execute, insert};
use super::writes::Writes;
use crate::sinks::{Rows, Sink};
use crate::tables::{AuditRow, Columns, Tabled, changes};

/// Rows that are sorted at a time: the more, the fewer pages of a B-tree they touch.
const SORTED_ROWS: usize = 50_000;

/// The store's writer.
pub struct Sqlite {
    store: Connection,
    path: PathBuf,
    /// Whether the mapping is kept in it too.
    has_mapping: bool,
    /// Whether a transaction is open.
    open: bool,
    /// Rows that wait to be sorted with those to come.
    waiting: Vec<Prepared>,
    rows: usize,
    tally: Tally,
}

impl Sqlite {
    /// Writes into `store`, which is the file at `path`; mapping rows of tracks too, if it has the mapping.
    pub fn new(store: Connection, path: PathBuf, has_mapping: bool) -> Self {
        Sqlite { store, path, has_mapping, open: false, waiting: Vec::new(), rows: 0, tally: Tally::default() }
    }

    /// Opens a transaction unless one is open.
    fn begin(&mut self) -> Result<()> {
        if !std::mem::replace(&mut self.open, true) {
            self.store.execute_batch("BEGIN IMMEDIATE")?;
        }
        Ok(())
    }

    /// Writes all rows that wait.
    fn flush(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        self.rows = 0;
        if waiting.is_empty() {
            return Ok(());
        }
        self.begin()?;
        let mut won = self.table::<Track>(&waiting)?;
        if self.has_mapping {
            self.mapping(&won)?;
        }
        won.extend(self.table::<Frame>(&waiting)?);
        won.extend(self.table::<Detection>(&waiting)?);
        self.audit(&won)
    }

    /// Writes the rows of one table; returns those that won.
    fn table<'a, R: Tabled>(&mut self, waiting: &'a [Prepared]) -> Result<Vec<Place<'a>>> {
        let table = R::Row::TABLE;
        let of_table = waiting.iter().filter(|prepared| prepared.table == table);
        let places: Vec<_> = of_table.flat_map(Prepared::places).collect();
        if places.is_empty() {
            return Ok(places);
        }
        let columns: Vec<_> = R::Row::COLUMNS.iter().map(|column| column.name).chain([ORDER]).collect();
        let mut upsert = Upsert::new(&self.store, table, &columns)?;
        let mut won = Vec::with_capacity(places.len());
        for place in sorted(&places, |from| &from.rows) {
            let verdict = upsert.write(place)?;
            self.tally.count(verdict);
            won.extend((verdict == Verdict::Upsert).then_some(place));
        }
        Ok(won)
    }

    /// Makes the mapping rows of tracks; one that stands wins.
    fn mapping(&self, tracks: &[Place<'_>]) -> Result<()> {
        let insert = "INSERT INTO citylens_track_mapping (citylens_track_id, axion_track_id, created_at, source) \
                      SELECT citylens_track_id, track_id, ?2, 'realtime' FROM tracks WHERE track_id = ?1 \
                      ON CONFLICT (citylens_track_id) DO NOTHING";
        let mut insert = self.store.prepare_cached(insert)?;
        for track in tracks {
            insert.execute(params![text(track.from.rows.key(track.row)), track.version().updated_at])?;
        }
        Ok(())
    }

    /// Writes the audits of rows.
    fn audit(&self, won: &[Place<'_>]) -> Result<()> {
        let columns: Vec<_> = AuditRow::COLUMNS.iter().map(|column| column.name).collect();
        // One request may write a row twice: the audit says when last. Replacing needs no look at what stands.
        let mut replace = self.store.prepare_cached(&insert("INSERT OR REPLACE", AuditRow::TABLE, &columns, ""))?;
        for Place { from, row } in sorted(won, |from| &from.audit) {
            execute(&mut replace, &from.audit, row)?;
        }
        Ok(())
    }

    fn told<T>(&self, result: Result<T>) -> Result<T> {
        result.with_context(|| format!("cannot write the store {}: {ADVICE}", self.path.display()))
    }
}

/// What a worker makes of rows.
pub enum Work {
    /// Rows that are judged by version.
    Versions(Prepared),
    /// What an epoch changes.
    Changes(Writes),
    /// Nothing that is kept here.
    Nothing,
}

impl Sink for Sqlite {
    type Work = Work;

    fn preparer(&self) -> impl Fn(&Rows) -> Work + Send + Sync + 'static {
        |rows| {
            let mut writes = Writes::default();
            match rows {
                Rows::Tracks(batch) => return Work::Versions(Prepared::of(batch)),
                Rows::Frames(batch) => return Work::Versions(Prepared::of(batch)),
                Rows::Detections(batch) => return Work::Versions(Prepared::of(batch)),
                Rows::Requests(_) | Rows::DeadLetters(_) | Rows::Late(_) | Rows::Settled(_) => return Work::Nothing,
                Rows::Sensors(epoch) => changes::sensors(epoch, &mut writes),
                Rows::Cameras(epoch) => changes::cameras(epoch, &mut writes),
            }
            Work::Changes(writes)
        }
    }

    fn write(&mut self, work: Work) -> Result<()> {
        let written = match work {
            Work::Versions(prepared) => {
                self.rows += prepared.rows.count();
                self.waiting.push(prepared);
                if self.rows < SORTED_ROWS { Ok(()) } else { self.flush() }
            }
            // All of it is in one transaction: none ends but by `commit`.
            Work::Changes(writes) => self.begin().and_then(|()| writes.execute(&self.store)),
            Work::Nothing => Ok(()),
        };
        self.told(written)
    }

    fn commit(&mut self) -> Result<Tally> {
        let mut committed = self.flush();
        if committed.is_ok() && std::mem::take(&mut self.open) {
            committed = self.store.execute_batch("COMMIT").map_err(Into::into);
        }
        self.told(committed)?;
        Ok(std::mem::take(&mut self.tally))
    }
}
