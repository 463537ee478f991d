//! Tables as lines of JSON: `DIR/<table>.ndjson`, a line for each upsert, the last of a key being its row.
//!
//! Of sensors and cameras a row may go, too: then its line has the key and `"deleted":true`. What only a later run would need
//! is not kept: windows begin anew with each.
//!
//! Each replay writes the files anew; a run adds to them, and what it acknowledges outlives a crash. Of several processes each
//! writes its own, `<table>.p<process>.ndjson`. Lines are made beforehand; the sink's thread need only write them.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use hexflow_dataflows::rows::{Detection, Frame, Track};
use hexflow_operators::Batch;
use hexflow_operators::upsert::Tally;

use super::{Rows, Sink};
use crate::buffers::Buffers;
use crate::tables::alerts::AlertRow;
use crate::tables::changes::{self, Changed, Verb};
use crate::tables::json::write_line;
use crate::tables::windows::{CameraDetectionRow, CameraWindowRow, SensorWindowRow, TravelerRow};
use crate::tables::{AuditRow, Columns, Tabled};

/// About what a table's line and an audit's take, bytes: buffers seldom grow.
const LINE_BYTES: (usize, usize) = (512, 192);

/// Writes lines into the files of a folder.
pub struct Ndjson {
    files: Vec<Lines>,
    buffers: Buffers,
    /// Whether lines must outlive a crash before they are acknowledged.
    lasting: bool,
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
        Ndjson::open(folder, suffix, false, |path| File::create(path))
    }

    /// As [`Ndjson::create`], but adds to files that stand; a last line that a crash has torn is taken away.
    pub fn append(folder: &Path, suffix: &str) -> Result<Self> {
        Ndjson::open(folder, suffix, true, at_last_line)
    }

    fn open(folder: &Path, suffix: &str, lasting: bool, open: impl Fn(&Path) -> io::Result<File>) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let citylens = [table_of::<Track>(), table_of::<Frame>(), table_of::<Detection>(), AuditRow::TABLE];
        let (sensors, cameras) =
            ([TravelerRow::TABLE, SensorWindowRow::TABLE], [CameraDetectionRow::TABLE, CameraWindowRow::TABLE]);
        let files = citylens.into_iter().chain(sensors).chain(cameras).chain([AlertRow::TABLE]).map(|table| {
            let path = folder.join(format!("{table}{suffix}.ndjson"));
            let file = open(&path).with_context(|| format!("cannot write {}", path.display()))?;
            Ok(Lines { table, path, file: BufWriter::with_capacity(1 << 18, file) })
        });
        let files = files.collect::<Result<_>>()?;
        Ok(Ndjson { files, buffers: Buffers::default(), lasting, tally: Tally::default() })
    }
}

/// Opens a file behind the last newline in it; what is behind that is cut off.
fn at_last_line(path: &Path) -> io::Result<File> {
    let mut file = File::options().create(true).truncate(false).read(true).write(true).open(path)?;
    let (mut end, mut block) = (file.metadata()?.len(), vec![0; 1 << 16]);
    let whole = loop {
        let start = end.saturating_sub(block.len() as u64);
        let length = usize::try_from(end - start).unwrap_or(block.len());
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut block[..length])?;
        match memchr::memrchr(b'\n', &block[..length]) {
            Some(newline) => break start + newline as u64 + 1,
            None if start == 0 => break 0,
            None => end = start,
        }
    };
    file.set_len(whole)?;
    file.seek(SeekFrom::Start(whole))?;
    Ok(file)
}

fn made(make: impl FnOnce(&mut Made)) -> Made {
    let mut made = Made::default();
    make(&mut made);
    made
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

impl Changed for Made {
    fn add<R: Columns>(&mut self, verb: Verb, row: &R) {
        let lines = self.of(R::TABLE);
        write_line(lines, row);
        if verb != Verb::Put {
            lines.truncate(lines.len() - "}\n".len());
            lines.extend_from_slice(b",\"deleted\":true}\n");
        }
    }

    // No later run reads lines.
    fn keep<R: Columns>(&mut self, _row: &R) {}

    fn forget<K: Columns>(&mut self, _upto: &K) {}
}

impl Made {
    /// The lines of a table.
    fn of(&mut self, table: &'static str) -> &mut Vec<u8> {
        let at = self.lines.iter().position(|(known, _)| *known == table).unwrap_or_else(|| {
            self.lines.push((table, Vec::new()));
            self.lines.len() - 1
        });
        &mut self.lines[at].1
    }
}

impl Sink for Ndjson {
    type Work = Made;

    fn preparer(&self) -> impl Fn(&Rows) -> Made + Send + Sync + 'static {
        let buffers = self.buffers.clone();
        move |rows| match rows {
            Rows::Tracks(batch) => lines_of(batch, &buffers),
            Rows::Frames(batch) => lines_of(batch, &buffers),
            Rows::Detections(batch) => lines_of(batch, &buffers),
            Rows::Requests(_) | Rows::DeadLetters(_) | Rows::Late(_) | Rows::Settled(_) => Made::default(),
            Rows::Sensors(epoch) => made(|made| changes::sensors(epoch, made)),
            Rows::Cameras(epoch) => made(|made| changes::cameras(epoch, made)),
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
            let last = if self.lasting { |file: &File| file.sync_data() } else { |_: &File| Ok(()) };
            let flushed = file.flush().and_then(|()| last(file.get_ref()));
            flushed.with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(std::mem::take(&mut self.tally))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_is_cut_off_and_whole_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let long = "x".repeat(100_000);
        for (before, after) in [("", ""), ("torn", ""), ("a\nb\n", "a\nb\n"), ("a\nb\ntorn", "a\nb\n")] {
            std::fs::write(&path, before).unwrap();
            at_last_line(&path).unwrap().write_all(b"c\n").unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{after}c\n"));
        }
        std::fs::write(&path, format!("a\n{long}")).unwrap();
        assert_eq!(at_last_line(&path).unwrap().metadata().unwrap().len(), 2);
    }
}
