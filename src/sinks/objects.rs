//! Detailed GPS as objects: one for each frame's list of fixes, named by what it holds.
//!
//! A reader never sees half of one; one that is written again is the same.

use anyhow::Result;
use columnar::Index;
use hexflow_dataflows::rows::{Entity, Frame, gps_key};
use hexflow_operators::Batch;
use hexflow_operators::batch::Columns;
use hexflow_operators::upsert::Tally;

use super::{Rows, Sink};
use crate::objects::Store;
use crate::objects::store::Object;

/// Writes objects into a store.
pub struct Objects {
    store: Store,
    waiting: Vec<Object>,
}

impl Objects {
    /// Objects in `store`.
    pub fn new(store: Store) -> Self {
        Objects { store, waiting: Vec::new() }
    }
}

/// A frame's object and its name, if it has one.
fn object(frames: &Columns<'_, Frame>, row: usize) -> Option<Object> {
    let (gps, metas) = (frames.gps.get(row)?, Frame::metas(frames));
    Some((gps_key(metas.axion.get(row), metas.key.get(row), metas.content[row]), gps.to_vec()))
}

impl Sink for Objects {
    type Work = Vec<Object>;

    fn preparer(&self) -> impl Fn(&Rows) -> Self::Work + Send + Sync + 'static {
        |rows| match rows {
            Rows::Frames(batch) => Batch::read(batch, object).flatten().collect(),
            _ => Vec::new(),
        }
    }

    fn write(&mut self, objects: Self::Work) -> Result<()> {
        self.waiting.extend(objects);
        Ok(())
    }

    fn commit(&mut self) -> Result<Tally> {
        self.store.put_all(std::mem::take(&mut self.waiting))?;
        Ok(Tally::default())
    }
}
