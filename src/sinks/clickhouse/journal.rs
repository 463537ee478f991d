//! Changes of several tables as one, in a store without transactions: first they are written down whole, then made, then
//! crossed out.
//!
//! ```text
//!   write down    one row: it is there, or it is not
//!   make          row by row; made again they change nothing
//!   cross out     the row's partition goes
//! ```
//!
//! A crash before the first is over has changed nothing; one after it leaves the row, and the next run makes all its changes
//! before it reads the store. So whoever goes on from the store finds what some number of whole epochs leave. No more than
//! one row of a pipeline stands at a time, and what a run that was killed has sent is ended before it is read.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use hexflow_dataflows::pipelines::Pipeline;

use super::apply::apply;
use super::changes::{Changes, read};
use super::statements::Statements;
use crate::clickhouse::binary::{Reader, put_text};
use crate::clickhouse::server::unreadable;
use crate::clickhouse::{Server, sql};
use crate::patience::{Attempt, Patience};

const TABLE: &str = "pending_changes";

/// The changes of one pipeline, whose only writer has it.
pub struct Journal {
    pipeline: Pipeline,
    statements: Statements,
    /// The number of what was last written down.
    last: i64,
}

/// What was written down and not crossed out, by number.
pub fn pending(server: &Server, patience: &mut Patience, pipeline: Pipeline) -> Result<Vec<(i64, Vec<u8>)>> {
    // A row that was sent twice is of one number.
    let query = format!(
        "SELECT number, changes FROM {} WHERE pipeline = {} ORDER BY number LIMIT 1 BY number",
        server.table(TABLE),
        sql::text(pipeline.name()),
    );
    patience.until_answered(&format!("read the table {TABLE}"), |_| {
        let answer = server.ask(&query)?;
        let (mut reader, mut found) = (Reader::new(&answer), Vec::new());
        while !reader.is_at_end() {
            let row = reader.signed().zip(reader.text()).ok_or_else(unreadable)?;
            found.push((row.0, row.1.to_vec()));
        }
        Ok(found)
    })
}

impl Journal {
    /// Makes what an earlier run has left to be made.
    pub fn open(server: &Server, patience: &mut Patience, pipeline: Pipeline) -> Result<Self> {
        let statements = Statements::of(&format!("{}-{}", server.database(), pipeline.name()));
        patience.until_answered("end what another run has sent", |_| statements.end(server))?;
        let mut journal = Journal { pipeline, statements, last: 0 };
        for (number, changes) in pending(server, patience, pipeline)? {
            journal.last = number;
            journal.make(server, patience, &changes).with_context(|| {
                format!("table {TABLE}, pipeline {}, number {number}: changes of an earlier run", pipeline.name())
            })?;
        }
        Ok(journal)
    }

    /// Makes changes, all of them, whatever happens once this has begun.
    pub fn commit(&mut self, server: &Server, patience: &mut Patience, changes: &Changes) -> Result<()> {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        self.last = i64::try_from(now_ms).unwrap_or(0).max(self.last + 1);
        let mut row = Vec::with_capacity(changes.as_bytes().len() + 64);
        put_text(&mut row, self.pipeline.name().as_bytes());
        row.extend_from_slice(&self.last.to_le_bytes());
        put_text(&mut row, changes.as_bytes());
        let into = format!("{} (pipeline, number, changes)", server.table(TABLE));
        patience.until_answered(&format!("write the table {TABLE}"), |attempt| {
            if attempt == Attempt::Again {
                self.statements.end(server)?;
            }
            server.insert(&self.statements.name(), &into, std::iter::once(&row[..]))
        })?;
        self.make(server, patience, changes.as_bytes())
    }

    /// Makes what was last written down, and crosses it out.
    fn make(&self, server: &Server, patience: &mut Patience, changes: &[u8]) -> Result<()> {
        let changes = read(changes).context("these are of another version of hexflow: run that one once")?;
        apply(server, patience, &self.statements, &changes)?;
        let (pipeline, number) = (sql::text(self.pipeline.name()), self.last);
        let cross_out = format!("ALTER TABLE {} DROP PARTITION ({pipeline}, {number})", server.table(TABLE));
        patience.until_answered(&format!("clear the table {TABLE}"), |_| server.run(&cross_out))
    }
}
