//! The statements that write a table's rows by version.

use anyhow::Result;
use hexflow_operators::versions::{Verdict, Version};
use rusqlite::{Connection, Params};

/// A table that is written by version: its primary key comes first, `updated_at` and `source_version` are columns.
pub struct Upserts {
    insert: String,
    standing: String,
    update: String,
}

impl Upserts {
    /// The statements for `table`; `columns` in the order in which values are bound, the primary key first and
    /// `source_version` last.
    pub fn new(table: &str, columns: &[&str]) -> Self {
        let places = (1..=columns.len()).map(|n| format!("?{n}")).collect::<Vec<_>>();
        let pairs = |glue: &str, skip: &[&str]| {
            let kept = columns.iter().zip(&places).skip(1).filter(|(column, _)| !skip.contains(column));
            kept.map(|(column, place)| format!("{column} {glue} {place}")).collect::<Vec<_>>()
        };
        let key = columns[0];
        let same = pairs("IS", &["updated_at", "source_version"]).join(" AND ");
        Upserts {
            insert: format!(
                "INSERT INTO {table} ({}) VALUES ({}) ON CONFLICT ({key}) DO NOTHING",
                columns.join(", "),
                places.join(", ")
            ),
            // The last value is named so that each statement binds all of them.
            standing: format!(
                "SELECT updated_at, source_version, {same} FROM {table} WHERE {key} = ?1 AND ?{} >= 0",
                columns.len()
            ),
            update: format!("UPDATE {table} SET {} WHERE {key} = ?1", pairs("=", &[]).join(", ")),
        }
    }

    /// Writes a row if it is new, or newer than the row of its key: then its content goes first into `values`.
    ///
    /// The verdict is the one that the operator of the same name would give, had it seen all that stands here.
    pub fn write<P: Params + Copy>(&self, store: &Connection, values: P, version: Version) -> Result<Verdict> {
        if store.prepare_cached(&self.insert)?.execute(values)? == 1 {
            return Ok(Verdict::Upsert);
        }
        let verdict = store.prepare_cached(&self.standing)?.query_row(values, |row| {
            let same: bool = row.get(2)?;
            // Of content only its being the same is known; other content of the same order stands.
            let content = if same { version.content } else { u64::MAX };
            let order = row.get::<_, i64>(1)?.cast_unsigned();
            Ok(version.judge(&Version { updated_at: row.get(0)?, order, content }))
        })?;
        if verdict == Verdict::Upsert {
            store.prepare_cached(&self.update)?.execute(values)?;
        }
        Ok(verdict)
    }
}
