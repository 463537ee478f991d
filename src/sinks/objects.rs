//! Detailed GPS as objects: one file for each frame's list of fixes, named by what it holds, in a folder.
//!
//! An object is written beside its place and moved there, so a reader never sees half of one; one that stands already is
//! left as it is, since its name says what it holds.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use columnar::Index;
use hexflow_dataflows::rows::{Entity, Frame, gps_key};
use hexflow_operators::Batch;
use hexflow_operators::batch::Columns;
use hexflow_operators::upsert::Tally;

use super::{Rows, Sink};

/// Writes objects below a folder.
pub struct Objects {
    folder: PathBuf,
}

impl Objects {
    /// Objects below `folder`, which is made when the first is written.
    pub fn new(folder: PathBuf) -> Self {
        Objects { folder }
    }

    fn put(&self, key: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.join(key);
        let put = || match fs::metadata(&path) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => write_beside(&path, bytes),
            Err(error) => Err(error),
        };
        put().with_context(|| format!("cannot write the object {}", path.display()))
    }
}

fn write_beside(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension(format!("tmp-{}", std::process::id()));
    match fs::write(&beside, bytes) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(path.parent().unwrap_or(path))?;
            fs::write(&beside, bytes)?;
        }
        written => written?,
    }
    fs::rename(&beside, path)
}

/// A frame's object and its name, if it has one.
fn object(frames: &Columns<'_, Frame>, row: usize) -> Option<(String, Vec<u8>)> {
    let (gps, metas) = (frames.gps.get(row)?, Frame::metas(frames));
    Some((gps_key(metas.axion.get(row), metas.key.get(row), metas.content[row]), gps.to_vec()))
}

impl Sink for Objects {
    type Work = Vec<(String, Vec<u8>)>;

    fn preparer(&self) -> impl Fn(&Rows) -> Self::Work + Send + Sync + 'static {
        |rows| match rows {
            Rows::Frames(batch) => Batch::read(batch, object).flatten().collect(),
            _ => Vec::new(),
        }
    }

    fn write(&mut self, objects: Self::Work) -> Result<()> {
        objects.iter().try_for_each(|(key, gps)| self.put(key, gps))
    }

    fn commit(&mut self) -> Result<Tally> {
        Ok(Tally::default())
    }
}
