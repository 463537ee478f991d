//! Which keys stand in a table, and how new their rows are: one question for some thousand keys.

use std::collections::{HashMap, HashSet};

use hexflow_dataflows::rows::text;
use hexflow_operators::versions::Version;

use super::block::Place;
use crate::clickhouse::binary::Reader;
use crate::clickhouse::schema::{CONTENT, Rows, Table, VERSION};
use crate::clickhouse::server::unreadable;
use crate::clickhouse::{Failure, Server, sql};

/// Bytes of keys in one question: as many as go, since each reads the table anew; escaped they stay below `max_query_size`.
pub const LOOK_BYTES: usize = 8 << 20;

/// Bytes of keys in one delete: a replicated one may be kept in Keeper, whose entries are below 1 MiB.
pub const DELETE_BYTES: usize = 256 << 10;

/// Keys in one statement where each is listed as a tuple, which takes long to parse.
pub const TUPLES_AT_ONCE: usize = 1_000;

/// What stands under a key.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// The newest version.
    pub version: Version,
    /// How many rows there are: two, if two writers have met.
    pub rows: u32,
}

/// What stands.
#[derive(Default)]
pub struct Stood {
    /// By key.
    pub by_key: HashMap<Vec<u8>, Standing>,
    /// The latest block that was seen: what another writer puts in later is not among what stands here.
    pub block: u64,
}

/// Looks up what stands under the keys of `places`.
pub fn look_up(server: &Server, table: &Table, places: &[Place<'_>]) -> Result<Stood, Failure> {
    let mut stood = Stood::default();
    each_row(server, table, places, |key, version, block| {
        stood.block = stood.block.max(block);
        let standing = stood.by_key.entry(key.to_vec()).or_insert(Standing { version, rows: 0 });
        standing.rows += 1;
        if rank(&version) > rank(&standing.version) {
            standing.version = version;
        }
    })?;
    Ok(stood)
}

/// Shows each row that stands under the keys of `places`, and maybe others: its key, version and block.
pub fn each_row(
    server: &Server,
    table: &Table,
    places: &[Place<'_>],
    mut show: impl FnMut(&[u8], Version, u64),
) -> Result<(), Failure> {
    let Rows::Versioned(age) = table.rows else { return Ok(()) };
    let keys = table.key().map(sql::name).collect::<Vec<_>>().join(", ");
    for some in in_questions(places) {
        let query = format!(
            "SELECT {keys}, toUnixTimestamp64Milli({}), {VERSION}, {CONTENT}, _block_number FROM {} WHERE {}",
            sql::name(age),
            server.table(table.name),
            within(table, some),
        );
        let answer = server.ask(&query)?;
        let mut reader = Reader::new(&answer);
        while !reader.is_at_end() {
            let (key, version, block) = read(&mut reader, table.keys).ok_or_else(unreadable)?;
            show(key, version, block);
        }
    }
    Ok(())
}

/// What orders versions of one key, whatever they are to each other.
pub fn rank(version: &Version) -> (i64, u64, u64) {
    (version.updated_at, version.order, version.content)
}

/// Key, version and block of a row.
fn read<'a>(reader: &mut Reader<'a>, keys: usize) -> Option<(&'a [u8], Version, u64)> {
    let key = reader.texts_as_they_stand(keys)?;
    let (updated_at, order, content) = (reader.signed()?, reader.unsigned()?, reader.unsigned()?);
    Some((key, Version { updated_at, order, content }, reader.unsigned()?))
}

/// The statements that delete the rows under the keys of `places`, up to a block.
pub fn deletes(server: &Server, table: &Table, places: &[Place<'_>], block: u64) -> Vec<String> {
    let at_once = if table.keys == 1 { usize::MAX } else { TUPLES_AT_ONCE };
    let delete = |some: &[Place<'_>]| {
        let mut condition = within(table, some);
        if table.keys > 1 {
            let names: Vec<_> = table.key().map(sql::name).collect();
            let tuples = some.iter().map(|place| format!("({})", quoted(place.key(), table.keys).join(",")));
            let tuples = tuples.collect::<Vec<_>>().join(",");
            condition = format!("{condition} AND ({}) IN ({tuples})", names.join(", "));
        }
        format!("DELETE FROM {} WHERE {condition} AND _block_number <= {block}", server.table(table.name))
    };
    parts(places, at_once, DELETE_BYTES, |place| place.key().len()).into_iter().map(delete).collect()
}

/// Cuts places into as many as one question can name.
pub fn in_questions<'p, 'a>(places: &'p [Place<'a>]) -> Vec<&'p [Place<'a>]> {
    parts(places, usize::MAX, LOOK_BYTES, |place| place.key().len())
}

/// Cuts keys into parts of at most so many, and so many bytes unless one alone has more.
pub fn parts<K>(keys: &[K], most: usize, bytes: usize, length: impl Fn(&K) -> usize) -> Vec<&[K]> {
    let (mut parts, mut start, mut taken) = (Vec::new(), 0, 0);
    for (n, key) in keys.iter().enumerate() {
        if n > start && (n - start == most || taken + length(key) > bytes) {
            parts.push(&keys[start..n]);
            (start, taken) = (n, 0);
        }
        taken += length(key);
    }
    parts.extend((start < keys.len()).then(|| &keys[start..]));
    parts
}

/// A condition that holds of all rows under the keys of `places`; of a longer key by its first column alone, so that it may
/// hold of others too: sets are what costs.
pub fn within(table: &Table, places: &[Place<'_>]) -> String {
    let first = table.columns[0].name;
    let distinct: HashSet<_> = places.iter().filter_map(|place| Reader::new(place.key()).text()).collect();
    format!("{} IN {}", sql::name(first), sql::set(distinct.into_iter().map(text)))
}

/// The texts of a key, as they stand in a statement.
pub fn quoted(key: &[u8], keys: usize) -> Vec<String> {
    texts(key, keys).into_iter().map(sql::text).collect()
}

/// The texts of a key.
fn texts(key: &[u8], keys: usize) -> Vec<&str> {
    let mut reader = Reader::new(key);
    (0..keys).map_while(|_| reader.text()).map(text).collect()
}
