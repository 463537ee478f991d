//! Statements that can be ended: whoever does not hear what became of one must not let it come after the next.

use std::hash::{BuildHasher, RandomState};

use crate::clickhouse::{Failure, Server, sql};

/// What the names of statements begin with.
pub struct Statements(String);

impl Statements {
    /// Named by `owner`; all with one owner end together, whatever process has sent them.
    pub fn of(owner: &str) -> Self {
        Statements(format!("hexflow-{owner}-"))
    }

    /// Those of this value alone.
    pub fn of_this_call() -> Self {
        Statements::of(&format!("{}-{:016x}", std::process::id(), random()))
    }

    /// A name for the next.
    pub fn name(&self) -> String {
        format!("{}{:016x}", self.0, random())
    }

    /// Ends those that are under way, and returns when they have.
    pub fn end(&self, server: &Server) -> Result<(), Failure> {
        match server.run(&format!("KILL QUERY WHERE startsWith(query_id, {}) SYNC", sql::text(&self.0))) {
            Err(Failure::Passing(why)) => Err(Failure::Passing(why)),
            // A user who may not ask this has the server's own limit of time, and the pause before this.
            Ok(()) | Err(Failure::Final(..)) => Ok(()),
        }
    }
}

fn random() -> u64 {
    RandomState::new().hash_one(0)
}
