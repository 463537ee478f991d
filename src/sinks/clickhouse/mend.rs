//! Leaves one row of a key where two writers have met and each has inserted its own.

use std::collections::HashMap;

use super::block::Place;
use super::blocks::Blocks;
use super::look::{TUPLES_AT_ONCE, each_row, in_questions, quoted, rank, within};
use crate::clickhouse::binary::Reader;
use crate::clickhouse::schema::Table;
use crate::clickhouse::server::unreadable;
use crate::clickhouse::{Failure, Server, sql};

/// The statements that leave one row of each key of `places`: the newest, of the same version the last that came.
///
/// Only parts that hold blocks from `next_block` on are read. What stood before was found when it was looked up, and of two
/// writers that did not find each other's rows then, both rows came later than that.
///
/// They name rows by key and block, so that two writers that find the same delete the same, and what comes later stays.
pub fn mends(server: &Server, table: &Table, places: &[Place<'_>], next_block: u64) -> Result<Vec<String>, Failure> {
    let names = table.key().map(sql::name).collect::<Vec<_>>().join(", ");
    let mut twice = Vec::new();
    for some in in_questions(places) {
        let query = format!(
            "SELECT {names} FROM {} WHERE {} AND {} GROUP BY {names} HAVING count() > 1",
            server.table(table.name),
            within(table, some),
            Blocks::since(next_block),
        );
        let answer = server.ask(&query)?;
        let mut reader = Reader::new(&answer);
        while !reader.is_at_end() {
            let key = reader.texts_as_they_stand(table.keys).ok_or_else(unreadable)?;
            twice.extend(some.iter().copied().filter(|place| place.key() == key));
        }
    }
    let mut statements = Vec::new();
    for some in twice.chunks(TUPLES_AT_ONCE) {
        let mut rows = HashMap::new();
        each_row(server, table, some, |key, version, block| {
            rows.entry(key.to_vec()).or_insert_with(Vec::new).push((rank(&version), block));
        })?;
        let lost = rows.iter_mut().flat_map(|(key, rows)| {
            rows.sort_unstable();
            rows.pop();
            rows.iter().map(|(_, block)| format!("({},{block})", quoted(key, table.keys).join(",")))
        });
        let lost = lost.collect::<Vec<_>>().join(",");
        if !lost.is_empty() {
            let from = server.table(table.name);
            let condition = format!("{} AND ({names}, _block_number) IN ({lost})", within(table, some));
            statements.push(format!("DELETE FROM {from} WHERE {condition}"));
        }
    }
    Ok(statements)
}
