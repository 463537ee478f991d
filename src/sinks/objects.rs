//! Detailed GPS as objects: one file for each frame's list of fixes, named by what it holds, in a folder.
//!
//! An object is written beside its place and moved there, so a reader never sees half of one; one that stands already is
//! left as it is, since its name says what it holds.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use hexflow_dataflows::rows::gps_key;
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

impl Sink for Objects {
    type Work = Rows;

    fn prepare(rows: &Rows) -> Rows {
        rows.clone()
    }

    fn write(&mut self, rows: Rows) -> Result<()> {
        if let Rows::Frames(batch) = rows {
            for frame in batch.iter() {
                if let Some(gps) = frame.gps {
                    self.put(&gps_key(frame.meta.axion, frame.meta.key, *frame.meta.content), gps)?;
                }
            }
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<Tally> {
        Ok(Tally::default())
    }
}
