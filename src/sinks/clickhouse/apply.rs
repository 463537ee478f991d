//! Makes changes of tables, so that made again they change nothing: which of the keys stand is looked up, these rows are
//! deleted, the new ones inserted.

use anyhow::Result;

use super::changes::Change;
use super::keys::{key, within};
use super::look::{DELETE_BYTES, LOOK_BYTES, parts};
use super::merged::{Merged, merge};
use super::statements::Statements;
use crate::clickhouse::binary::Reader;
use crate::clickhouse::schema::Column;
use crate::clickhouse::server::unreadable;
use crate::clickhouse::{Failure, Server, sql};
use crate::patience::{Attempt, Patience};

/// How many times its own bytes a key takes in a statement, at most: a byte of a text is two digits, a number of 8 bytes up to
/// 20 and a comma.
const TOLD_BYTES: usize = 3;

/// Makes `changes`, as long as it takes. Nobody else writes rows of these keys.
pub fn apply(server: &Server, patience: &mut Patience, statements: &Statements, changes: &[Change<'_>]) -> Result<()> {
    for merged in merge(changes) {
        patience.until_answered(&format!("write the table {}", merged.table.name), |attempt| {
            if attempt == Attempt::Again {
                statements.end(server)?;
            }
            write(server, statements, &merged)
        })?;
    }
    Ok(())
}

fn write(server: &Server, statements: &Statements, merged: &Merged<'_>) -> Result<(), Failure> {
    let (name, columns) = (server.table(merged.table.name), merged.table.columns);
    let key_columns = &columns[..merged.table.keys];
    let mut standing = keys_that_stand(server, merged, key_columns, &merged.keys())?;
    let over = keys_that_stand(server, merged, &key_columns[..key_columns.len() - 1], &merged.prefixes())?;
    standing.extend(over.into_iter().filter(|key| merged.is_over(key)));
    standing.sort_unstable();
    standing.dedup();
    let standing: Vec<_> = standing.iter().map(Vec::as_slice).collect();
    for some in parts(&standing, usize::MAX, DELETE_BYTES / TOLD_BYTES, |key| key.len()) {
        let delete = format!("DELETE FROM {name} WHERE {}", within(key_columns, some));
        server.run_as(&statements.name(), &delete)?;
    }
    let rows = merged.rows();
    if rows.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = columns.iter().map(|column| sql::name(column.name)).collect();
    server.insert(&statements.name(), &format!("{name} ({})", names.join(", ")), rows.into_iter())
}

/// The keys of the rows that have one of `keys` in `columns`, the first of a key's or all.
fn keys_that_stand(
    server: &Server,
    merged: &Merged<'_>,
    columns: &[Column],
    keys: &[&[u8]],
) -> Result<Vec<Vec<u8>>, Failure> {
    let key_columns = &merged.table.columns[..merged.table.keys];
    let (names, mut standing) = (merged.table.key().map(sql::name).collect::<Vec<_>>().join(", "), Vec::new());
    for some in parts(keys, usize::MAX, LOOK_BYTES / TOLD_BYTES, |key| key.len()) {
        let query = format!("SELECT {names} FROM {} WHERE {}", server.table(merged.table.name), within(columns, some));
        let answer = server.ask(&query)?;
        let mut reader = Reader::new(&answer);
        while !reader.is_at_end() {
            standing.push(key(key_columns, &mut reader).ok_or_else(unreadable)?.to_vec());
        }
    }
    Ok(standing)
}
