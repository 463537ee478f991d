//! How far the tables have come: each insert is a block, numbered in the order in which they came.

use std::collections::HashMap;

use crate::clickhouse::schema::Table;
use crate::clickhouse::{Failure, Server, sql};

/// Of each table the number that its next block has, or a later one.
#[derive(Default)]
pub struct Blocks(HashMap<String, u64>);

impl Blocks {
    /// As they are now, or were a moment ago where another replica is ahead.
    pub fn now(server: &Server) -> Result<Self, Failure> {
        let rows = server.texts::<2>(&format!(
            "SELECT table, toString(max(max_block_number) + 1) FROM system.parts WHERE database = {} AND active \
             GROUP BY table",
            sql::text(server.database()),
        ));
        match rows {
            Ok(rows) => {
                Ok(Blocks(rows.into_iter().filter_map(|[table, next]| Some((table, next.parse().ok()?))).collect()))
            }
            Err(Failure::Passing(why)) => Err(Failure::Passing(why)),
            // Who may not see the parts reads all of them.
            Err(Failure::Final(..)) => Ok(Blocks::default()),
        }
    }

    /// The number of a table's next block; 0 if none is known.
    pub fn next_of(&self, table: &Table) -> u64 {
        self.0.get(table.name).copied().unwrap_or(0)
    }

    /// A condition that holds in parts that have blocks from `block` on; a part's name says which it has, so that the others
    /// are not read.
    pub fn since(block: u64) -> String {
        format!("toUInt64OrZero(splitByChar('_', _part)[3]) >= {block}")
    }
}
