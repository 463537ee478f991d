//! Writes settled rows into the history.

use anyhow::Result;
use hexflow_operators::upsert::Tally;

use super::file::files;
use crate::objects::Store;
use crate::objects::store::Object;
use crate::sinks::{Rows, Sink};

/// Files in a store of objects.
pub struct History {
    store: Store,
    waiting: Vec<Object>,
}

impl History {
    /// Files in `store`.
    pub fn new(store: Store) -> Self {
        History { store, waiting: Vec::new() }
    }
}

impl Sink for History {
    type Work = Result<Vec<Object>>;

    fn preparer(&self) -> impl Fn(&Rows) -> Self::Work + Send + Sync + 'static {
        |rows| if let Rows::Settled(settled) = rows { files(settled) } else { Ok(Vec::new()) }
    }

    fn write(&mut self, files: Self::Work) -> Result<()> {
        self.waiting.extend(files?);
        Ok(())
    }

    fn commit(&mut self) -> Result<Tally> {
        self.store.put_all(std::mem::take(&mut self.waiting))?;
        Ok(Tally::default())
    }
}
