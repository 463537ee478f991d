//! Writes a table's rows by version: a row is written if it is new, or newer than the row of its key.
//!
//! Nearly all rows are new, so a group is inserted at once and whoever stands is left alone. Only if fewer rows than the
//! group's came in are they looked at one by one. Then it shows by its rowid whether a row came in just now: a table's new
//! rows are numbered one after the other.

use anyhow::Result;
use hexflow_operators::versions::{Verdict, Version};
use rusqlite::{CachedStatement, Connection};

use super::order::Place;
use super::statements::{GROUP, Insert, bind};

/// The column beyond FORMATS that all tables written by version have, the last.
pub const ORDER: &str = "source_version";

/// Writes rows of one table.
pub struct Upsert<'s> {
    store: &'s Connection,
    insert: Insert<'s>,
    standing: CachedStatement<'s>,
    update: CachedStatement<'s>,
}

/// What stands under a key.
struct Standing {
    rowid: i64,
    version: Version,
}

impl<'s> Upsert<'s> {
    /// For `table`, whose `columns` begin with the primary key, have `updated_at`, and end with [`ORDER`].
    pub fn new(store: &'s Connection, table: &str, columns: &[&str]) -> Result<Self> {
        let pairs = |glue: &str, skip: &[&str]| {
            let kept = columns.iter().zip(1..).skip(1).filter(|(column, _)| !skip.contains(column));
            kept.map(|(column, place)| format!("{column} {glue} ?{place}")).collect::<Vec<_>>()
        };
        let (key, last) = (columns[0], columns.len());
        let same = pairs("IS", &["updated_at", ORDER]).join(" AND ");
        // The last value is named so that each statement binds all of them.
        let standing =
            format!("SELECT rowid, updated_at, {ORDER}, {same} FROM {table} WHERE {key} = ?1 AND ?{last} >= 0");
        let update = format!("UPDATE {table} SET {} WHERE {key} = ?1", pairs("=", &[]).join(", "));
        Ok(Upsert {
            store,
            insert: Insert::new(store, table, columns, &format!("ON CONFLICT ({key}) DO NOTHING"))?,
            standing: store.prepare_cached(&standing)?,
            update: store.prepare_cached(&update)?,
        })
    }

    /// Writes `places`, and tells `judged` the verdict on each, in order: the one that the operator of the same name would
    /// give, had it seen all that stands here.
    pub fn write<'a>(&mut self, places: &[Place<'a>], mut judged: impl FnMut(Place<'a>, Verdict)) -> Result<()> {
        for group in places.chunks(GROUP) {
            let inserted = self.insert.write(group.iter().map(|place| (&place.from.rows, place.row)))?;
            if inserted == group.len() {
                group.iter().for_each(|place| judged(*place, Verdict::Upsert));
                continue;
            }
            // The rowids of those inserted just now, until the row that each came of was seen.
            let last = self.store.last_insert_rowid();
            let mut fresh: Vec<i64> = (0..).map(|n| last - n).take(inserted).collect();
            for place in group {
                judged(*place, self.one(*place, &mut fresh)?);
            }
        }
        Ok(())
    }

    /// The verdict on a row that was inserted, or else was not since another stands.
    fn one(&mut self, place: Place<'_>, fresh: &mut Vec<i64>) -> Result<Verdict> {
        let standing = self.standing(place)?;
        if let Some(at) = fresh.iter().position(|rowid| *rowid == standing.rowid) {
            fresh.swap_remove(at); // the next of its key finds this one standing
            return Ok(Verdict::Upsert);
        }
        let verdict = place.version().judge(&standing.version);
        if verdict == Verdict::Upsert {
            bind(&mut self.update, std::iter::once((&place.from.rows, place.row)))?;
            self.update.raw_execute()?;
        }
        Ok(verdict)
    }

    fn standing(&mut self, place: Place<'_>) -> Result<Standing> {
        bind(&mut self.standing, std::iter::once((&place.from.rows, place.row)))?;
        let mut found = self.standing.raw_query();
        let row = found.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        // Of content only its being the same is known; other content of the same order stands.
        let content = if row.get(3)? { place.version().content } else { u64::MAX };
        let order = row.get::<_, i64>(2)?.cast_unsigned();
        Ok(Standing { rowid: row.get(0)?, version: Version { updated_at: row.get(1)?, order, content } })
    }
}
