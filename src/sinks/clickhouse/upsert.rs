//! Writes rows into one table by version: judged against what stands, the superseded deleted, the new inserted.
//!
//! ClickHouse has no transactions, so each step may be the last before a crash. Deleted and not yet inserted, a row is
//! absent, which whoever replays it finds; inserted and not acknowledged, it is found to stand. So a step is never
//! repeated blindly: before a second attempt what stands is looked up again.

use std::collections::HashMap;

use anyhow::Result;
use hexflow_operators::upsert::Tally;
use hexflow_operators::versions::{Verdict, Version};

use super::block::Place;
use super::blocks::Blocks;
use super::look::{Standing, Stood, deletes, look_up};
use super::mend::mends;
use super::statements::Statements;
use crate::clickhouse::schema::Table;
use crate::clickhouse::{Server, sql};
use crate::patience::{Attempt, Patience};

/// Rows of one table, judged.
pub struct Judged<'a> {
    table: &'static Table,
    /// All that won, in order: of one key there may be several.
    pub won: Vec<usize>,
    /// Of each key the row to be written.
    last: Vec<Place<'a>>,
    /// What stood under all keys.
    stood: Stood,
    /// The table's next block, before that was looked up.
    next_block: u64,
}

/// Judges `places`, rows of `table` in their order, against what stands; counts the verdicts. `blocks` were the next
/// before.
pub fn judge<'a>(
    server: &Server,
    patience: &mut Patience,
    table: &'static Table,
    places: &[Place<'a>],
    blocks: &Blocks,
    tally: &mut Tally,
) -> Result<Judged<'a>> {
    let what = format!("read the table {}", table.name);
    let stood = patience.until_answered(&what, |_| look_up(server, table, places))?;
    let mut present: HashMap<&[u8], Version> = HashMap::with_capacity(places.len());
    let (mut won, mut last) = (Vec::new(), HashMap::new());
    for (n, place) in places.iter().enumerate() {
        let (key, version) = (place.key(), place.version());
        let standing = stood.by_key.get(key);
        let before = present.get(key).copied().or_else(|| standing.map(|standing| standing.version));
        let verdict = before.map_or(Verdict::Upsert, |before| version.judge(&before));
        tally.count(verdict);
        if verdict == Verdict::Upsert {
            present.insert(key, version);
            won.push(n);
            last.insert(key, n);
        } else if !present.contains_key(key) && is_wanted(place, standing) {
            last.insert(key, n); // it stands twice: once is enough
        }
    }
    let mut last: Vec<_> = last.into_values().collect();
    last.sort_unstable();
    let last = last.into_iter().map(|n| places[n]).collect();
    Ok(Judged { table, won, last, stood, next_block: blocks.next_of(table) })
}

/// Whether a row is still to be written, where that stands.
fn is_wanted(place: &Place<'_>, standing: Option<&Standing>) -> bool {
    standing.is_none_or(|standing| match place.version().judge(&standing.version) {
        Verdict::Upsert => true,
        Verdict::Duplicate => standing.rows > 1,
        Verdict::Stale => false,
    })
}

impl Judged<'_> {
    /// Makes the rows that won those that stand.
    pub fn write(self, server: &Server, patience: &mut Patience) -> Result<()> {
        let Judged { table, mut last, mut stood, next_block, .. } = self;
        if last.is_empty() {
            return Ok(());
        }
        let (all, statements) = (last.clone(), Statements::of_this_call());
        patience.until_answered(&format!("write the table {}", table.name), |attempt| {
            if attempt == Attempt::Again {
                statements.end(server)?;
                stood = look_up(server, table, &last)?;
                last.retain(|place| is_wanted(place, stood.by_key.get(place.key())));
            }
            let superseded: Vec<_> =
                last.iter().copied().filter(|place| stood.by_key.contains_key(place.key())).collect();
            for delete in deletes(server, table, &superseded, stood.block) {
                server.run(&delete)?;
            }
            if last.is_empty() {
                return Ok(());
            }
            let columns: Vec<_> = table.typed().map(|(name, _)| sql::name(name)).collect();
            let into = format!("{} ({})", server.table(table.name), columns.join(", "));
            server.insert(&statements.name(), &into, last.iter().map(Place::bytes))
        })?;
        // Another writer may have looked when we did, and have inserted too: the one that looks last finds both.
        patience.until_answered(&format!("read the table {} again", table.name), |_| {
            mends(server, table, &all, next_block)?.iter().try_for_each(|mend| server.run(mend))
        })
    }
}
