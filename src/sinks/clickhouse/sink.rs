//! Writes rows into ClickHouse, those of citylens each with its audit.
//!
//! Audits go first. Were rows to go first, a crash between the two would leave rows that stand, which a replay takes for
//! repeats, and no audit of them would ever be written. An audit without its row is found by the replay, and left.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use hexflow_dataflows::pipelines::{Pipeline, Pipelines};
use hexflow_operators::upsert::Tally;
use uuid::Uuid;

use super::block::{Block, Place, Prepared};
use super::blocks::Blocks;
use super::changes::Changes;
use super::journal::{self, Journal};
use super::upsert::judge;
use crate::clickhouse::Server;
use crate::clickhouse::schema::{CITYLENS, Table};
use crate::config::Config;
use crate::migrate;
use crate::patience::Patience;
use crate::sinks::{Rows, Sink};
use crate::tables::changes;

/// The store's writer.
pub struct ClickHouse {
    pub(super) server: Server,
    pub(super) patience: Patience,
    /// Kept until they are stored.
    waiting: Vec<Prepared>,
    /// Of the pipelines of windows that this process writes, and what is to be changed.
    journals: Vec<(Pipeline, Journal, Changes)>,
}

/// Connects to the configured server, to write if it has the tables of `pipelines`: waits while it is away, fails on what is
/// final.
pub fn open(config: &Config, pipelines: Pipelines) -> Result<ClickHouse> {
    let mut server = Server::new(&config.clickhouse).context("cannot start a client of ClickHouse")?;
    let mut patience = Patience::new(format!("ClickHouse at {}", server.url()), config.retry_interval);
    patience.until_answered("connect", |_| server.prepare_to_write())?;
    patience.until_answered("find the tables", |_| migrate::clickhouse::check(&server, pipelines))?;
    Ok(ClickHouse { server, patience, waiting: Vec::new(), journals: Vec::new() })
}

/// The mapping that the table of tracks holds: Citylens track id and axion track id.
pub fn stored_mapping(store: &mut ClickHouse) -> Result<Vec<(String, Uuid)>> {
    let ClickHouse { server, patience, .. } = store;
    let query = format!("SELECT citylens_track_id, track_id FROM {}", server.table("tracks"));
    let rows = patience.until_answered("read the table tracks", |_| server.texts::<2>(&query))?;
    rows.into_iter()
        .map(|[track, axion]| {
            let id = axion.parse().with_context(|| {
                format!("table tracks, citylens_track_id {track:?}: track_id {axion:?} is not a UUID; correct the row")
            })?;
            Ok((track, id))
        })
        .collect()
}

/// The pipelines whose changes of an epoch are one.
fn of_windows(pipelines: Pipelines) -> impl Iterator<Item = Pipeline> {
    [Pipeline::Sensors, Pipeline::Cameras].into_iter().filter(move |pipeline| pipelines.contains(*pipeline))
}

impl ClickHouse {
    /// Makes what an earlier run of `pipelines` has left half made, and is their one writer from now on.
    pub fn take_up(&mut self, pipelines: Pipelines) -> Result<()> {
        for pipeline in of_windows(pipelines) {
            let journal = Journal::open(&self.server, &mut self.patience, pipeline)?;
            self.journals.push((pipeline, journal, Changes::default()));
        }
        Ok(())
    }

    /// Fails where an earlier run of `pipelines` has left something half made: who only reads cannot go on from it.
    pub fn check_whole(&mut self, pipelines: Pipelines) -> Result<()> {
        for pipeline in of_windows(pipelines) {
            if !journal::pending(&self.server, &mut self.patience, pipeline)?.is_empty() {
                let name = pipeline.name();
                bail!("a run of {name} was stopped amid its changes; run once without --dry-run to complete them");
            }
        }
        Ok(())
    }

    fn write_all(&mut self, waiting: &[Prepared]) -> Result<Tally> {
        let ClickHouse { server, patience, .. } = self;
        let mut tally = Tally::default();
        let blocks = patience.until_answered("look at the parts", |_| Blocks::now(server))?;
        let (mut tables, mut audits) = (Vec::new(), Vec::new());
        for table in &CITYLENS {
            let rows = places(waiting, table, |prepared| &prepared.rows);
            if rows.is_empty() {
                continue;
            }
            let judged = judge(server, patience, table, &rows, &blocks, &mut tally)?;
            let all = places_beside(waiting, table);
            audits.extend(judged.won.iter().map(|&n| all[n]));
            tables.push(judged);
        }
        if let Some(table) = CITYLENS.iter().find(|table| table.name == "audit_log").filter(|_| !audits.is_empty()) {
            judge(server, patience, table, &audits, &blocks, &mut Tally::default())?.write(server, patience)?;
        }
        tables.into_iter().try_for_each(|judged| judged.write(server, patience))?;
        Ok(tally)
    }
}

/// The rows of a table, in order.
fn places<'a>(waiting: &'a [Prepared], table: &Table, of: impl Fn(&'a Prepared) -> &'a Block) -> Vec<Place<'a>> {
    let of_table = waiting.iter().filter(|prepared| prepared.rows.table.name == table.name).map(of);
    of_table.flat_map(|block| (0..block.count()).map(|row| block.place(row))).collect()
}

/// The audits of a table's rows, in the same order.
fn places_beside<'a>(waiting: &'a [Prepared], table: &Table) -> Vec<Place<'a>> {
    places(waiting, table, |prepared| &prepared.audit)
}

/// What a worker makes of rows.
pub enum Work {
    /// Rows that are judged by version, if they have a table.
    Versions(Option<Prepared>),
    /// What an epoch changes.
    Changes(Pipeline, Changes),
}

impl Sink for ClickHouse {
    /// Each commit leaves parts that the server has to merge.
    const LINGER: Duration = Duration::from_millis(200);

    type Work = Work;

    fn preparer(&self) -> impl Fn(&Rows) -> Work + Send + Sync + 'static {
        |rows| {
            let mut made = Changes::default();
            match rows {
                Rows::Tracks(batch) => Work::Versions(Prepared::of(batch)),
                Rows::Frames(batch) => Work::Versions(Prepared::of(batch)),
                Rows::Detections(batch) => Work::Versions(Prepared::of(batch)),
                Rows::Requests(_) | Rows::DeadLetters(_) | Rows::Late(_) | Rows::Settled(_) => Work::Versions(None),
                Rows::Sensors(epoch) => {
                    changes::sensors(epoch, &mut made);
                    Work::Changes(Pipeline::Sensors, made)
                }
                Rows::Cameras(epoch) => {
                    changes::cameras(epoch, &mut made);
                    Work::Changes(Pipeline::Cameras, made)
                }
            }
        }
    }

    fn write(&mut self, work: Work) -> Result<()> {
        match work {
            Work::Versions(prepared) => self.waiting.extend(prepared),
            Work::Changes(pipeline, made) => match self.journals.iter_mut().find(|(of, ..)| *of == pipeline) {
                Some((_, _, waiting)) => waiting.append(made),
                None => bail!("changes of {} have come to a process that does not write them", pipeline.name()),
            },
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<Tally> {
        let waiting = std::mem::take(&mut self.waiting);
        let tally = if waiting.is_empty() { Tally::default() } else { self.write_all(&waiting)? };
        for (_, journal, changes) in &mut self.journals {
            let changes = std::mem::take(changes);
            if !changes.as_bytes().is_empty() {
                journal.commit(&self.server, &mut self.patience, &changes)?;
            }
        }
        Ok(tally)
    }
}
