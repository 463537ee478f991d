//! Tables as lines of JSON: `DIR/<table>.ndjson`, a line for each upsert, the last of a key being its row.
//!
//! Each run writes the files anew. Of several processes each writes its own, `<table>.p<process>.ndjson`. Lines
//! are made beforehand; the sink's thread need only write them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use hexflow_dataflows::rows::{Detection, Frame, Track};
use hexflow_operators::Batch;
use hexflow_operators::upsert::Tally;

use super::{Rows, Sink};
use crate::buffers::Buffers;
use crate::tables::json::write_line;
use crate::tables::{AuditRow, Columns, Tabled};

/// About what a table's line and an audit's take, bytes: buffers seldom grow.
const LINE_BYTES: (usize, usize) = (512, 192);

/// Writes lines into the files of a folder.
pub struct Ndjson {
    files: Vec<Lines>,
    buffers: Buffers,
    tally: Tally,
}

/// One table's file.
struct Lines {
    table: &'static str,
    path: PathBuf,
    file: BufWriter<File>,
}

/// Lines of tables, as a worker made them.
#[derive(Default)]
pub struct Made {
    upserts: u64,
    lines: Vec<(&'static str, Vec<u8>)>,
}

impl Ndjson {
    /// Makes the folder and its files; `suffix` comes after each table's name.
    pub fn create(folder: &Path, suffix: &str) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let tables = [table_of::<Track>(), table_of::<Frame>(), table_of::<Detection>(), AuditRow::TABLE];
        let files = tables.map(|table| Lines::create(table, folder.join(format!("{table}{suffix}.ndjson"))));
        Ok(Ndjson {
            files: files.into_iter().collect::<Result<_>>()?,
            buffers: Buffers::default(),
            tally: Tally::default(),
        })
    }
}

impl Lines {
    fn create(table: &'static str, path: PathBuf) -> Result<Self> {
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Lines { table, path, file: BufWriter::with_capacity(1 << 18, file) })
    }
}

fn table_of<R: Tabled>() -> &'static str {
    R::Row::TABLE
}

/// The lines of a batch, and of its audit.
fn lines_of<R: Tabled>(batch: &Batch<R>, buffers: &Buffers) -> Made {
    let count = batch.len();
    let (mut lines, mut audit) = (buffers.empty(), buffers.empty());
    lines.reserve(count * LINE_BYTES.0);
    audit.reserve(count * LINE_BYTES.1);
    for row in batch.iter() {
        let (meta, row) = (R::meta(row), R::row(row));
        write_line(&mut lines, &row);
        write_line(&mut audit, &R::audit(meta, &row));
    }
    Made { upserts: count as u64, lines: vec![(table_of::<R>(), lines), (AuditRow::TABLE, audit)] }
}

impl Sink for Ndjson {
    type Work = Made;

    fn preparer(&self) -> impl Fn(&Rows) -> Made + Send + Sync + 'static {
        let buffers = self.buffers.clone();
        move |rows| match rows {
            Rows::Tracks(batch) => lines_of(batch, &buffers),
            Rows::Frames(batch) => lines_of(batch, &buffers),
            Rows::Detections(batch) => lines_of(batch, &buffers),
            Rows::Requests(_) | Rows::DeadLetters(_) => Made::default(),
        }
    }

    fn write(&mut self, made: Made) -> Result<()> {
        self.tally.upserts += made.upserts;
        for (table, lines) in made.lines {
            if let Some(to) = self.files.iter_mut().find(|file| file.table == table) {
                to.file.write_all(&lines).with_context(|| format!("cannot write {}", to.path.display()))?;
            }
            self.buffers.put(lines);
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<Tally> {
        for Lines { file, path, .. } in &mut self.files {
            file.flush().with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(std::mem::take(&mut self.tally))
    }
}
