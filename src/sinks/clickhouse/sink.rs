//! Writes rows into ClickHouse, each with its audit.
//!
//! Audits go first. Were rows to go first, a crash between the two would leave rows that stand, which a replay takes for
//! repeats, and no audit of them would ever be written. An audit without its row is found by the replay, and left.

use std::time::Duration;

use anyhow::{Context, Result};
use hexflow_operators::upsert::Tally;
use uuid::Uuid;

use super::block::{Block, Place, Prepared};
use super::blocks::Blocks;
use super::upsert::judge;
use crate::clickhouse::Server;
use crate::clickhouse::schema::{TABLES, Table};
use crate::config::Config;
use crate::migrate;
use crate::patience::Patience;
use crate::sinks::{Rows, Sink};

/// The store's writer.
pub struct ClickHouse {
    server: Server,
    patience: Patience,
    /// Kept until they are stored.
    waiting: Vec<Prepared>,
}

/// Connects to the configured server, to write if it has the tables: waits while it is away, fails on what is final.
pub fn open(config: &Config) -> Result<ClickHouse> {
    let mut server = Server::new(&config.clickhouse).context("cannot start a client of ClickHouse")?;
    let mut patience = Patience::new(format!("ClickHouse at {}", server.url()), config.retry_interval);
    patience.until_answered("connect", |_| server.prepare_to_write())?;
    patience.until_answered("find the tables", |_| migrate::clickhouse::check(&server))?;
    Ok(ClickHouse { server, patience, waiting: Vec::new() })
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

impl ClickHouse {
    fn write_all(&mut self, waiting: &[Prepared]) -> Result<Tally> {
        let ClickHouse { server, patience, .. } = self;
        let mut tally = Tally::default();
        let blocks = patience.until_answered("look at the parts", |_| Blocks::now(server))?;
        let (mut tables, mut audits) = (Vec::new(), Vec::new());
        for table in &TABLES {
            let rows = places(waiting, table, |prepared| &prepared.rows);
            if rows.is_empty() {
                continue;
            }
            let judged = judge(server, patience, table, &rows, &blocks, &mut tally)?;
            let all = places_beside(waiting, table);
            audits.extend(judged.won.iter().map(|&n| all[n]));
            tables.push(judged);
        }
        if let Some(table) = TABLES.iter().find(|table| table.name == "audit_log").filter(|_| !audits.is_empty()) {
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

impl Sink for ClickHouse {
    /// Each commit leaves parts that the server has to merge.
    const LINGER: Duration = Duration::from_millis(200);

    type Work = Option<Prepared>;

    fn preparer(&self) -> impl Fn(&Rows) -> Option<Prepared> + Send + Sync + 'static {
        |rows| match rows {
            Rows::Tracks(batch) => Prepared::of(batch),
            Rows::Frames(batch) => Prepared::of(batch),
            Rows::Detections(batch) => Prepared::of(batch),
            Rows::Requests(_) | Rows::DeadLetters(_) | Rows::Sensors(_) | Rows::Cameras(_) => None,
            Rows::Late(_) => None,
        }
    }

    fn write(&mut self, prepared: Option<Prepared>) -> Result<()> {
        self.waiting.extend(prepared);
        Ok(())
    }

    fn commit(&mut self) -> Result<Tally> {
        let waiting = std::mem::take(&mut self.waiting);
        self.write_all(&waiting)
    }
}
