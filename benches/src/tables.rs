//! What programs leave behind as lines of JSON, and whether it is the same.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use xxhash_rust::xxh3::xxh3_64;

const TABLES: [&str; 4] = ["tracks", "frames", "detections", "audit_log"];

/// The names of objects are each program's own, and come late in a row: what is before it counts.
const UNTIL: &[u8] = br#","gps_key":"#;

/// Lines, and a sum of their hashes: equal for the same lines in whatever order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) rows: u64,
    pub(crate) hashes: u64,
}

impl Sum {
    /// Adds a row of this hash.
    pub(crate) fn add(&mut self, hash: u64) {
        self.rows += 1;
        self.hashes = self.hashes.wrapping_add(hash);
    }

    /// The sum of both.
    pub(crate) fn and(self, other: Sum) -> Sum {
        Sum { rows: self.rows + other.rows, hashes: self.hashes.wrapping_add(other.hashes) }
    }
}

/// What was written, table by table; of several processes what all of them wrote.
pub(crate) fn lines(out: &Path) -> Result<Vec<Sum>> {
    let of_table = |table: &&str| {
        let files = files_of(out, table)?;
        files.iter().try_fold(Sum::default(), |sum, file| Ok(sum.and(lines_of(file)?)))
    };
    TABLES.iter().map(of_table).collect()
}

/// An error if what `name` left is not what the first one left.
pub(crate) fn compare(name: &str, out: &Path, expected: &mut Option<Vec<Sum>>) -> Result<()> {
    let written = lines(out)?;
    let expected = expected.get_or_insert_with(|| written.clone());
    ensure!(written == *expected, "{name} wrote other rows: {written:?}, and not {expected:?}");
    ensure!(written.iter().any(|sum| sum.rows > 0), "{name} wrote nothing");
    Ok(())
}

/// `<table>.ndjson`, or what begins so, as `<table>.p0.ndjson`.
pub(crate) fn files_of(out: &Path, table: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for file in fs::read_dir(out).with_context(|| format!("cannot read {}", out.display()))? {
        let (path, name) = file.map(|file| (file.path(), file.file_name().to_string_lossy().into_owned()))?;
        if name.starts_with(table) && name.ends_with(".ndjson") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Gives each line of a file, without its end.
pub(crate) fn for_each_line(path: &Path, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (mut file, mut line) = (BufReader::with_capacity(1 << 18, file), Vec::new());
    while file.read_until(b'\n', &mut line)? > 0 {
        each(line.strip_suffix(b"\n").unwrap_or(&line))?;
        line.clear();
    }
    Ok(())
}

fn lines_of(path: &Path) -> Result<Sum> {
    let mut sum = Sum::default();
    for_each_line(path, |line| {
        sum.add(xxh3_64(memchr::memmem::find(line, UNTIL).map_or(line, |end| &line[..end])));
        Ok(())
    })?;
    Ok(sum)
}

/// Bytes of all files in a folder.
pub(crate) fn bytes_in(folder: &Path) -> Result<u64> {
    fs::read_dir(folder)?.map(|file| Ok(file?.metadata()?.len())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn the_rows_of_two_processes_are_those_of_one() {
        let one = folder(&[("tracks.ndjson", "a\nb\nb\n")]);
        let two = folder(&[("tracks.p0.ndjson", "b\n"), ("tracks.p1.ndjson", "b\na")]);
        let mut expected = None;
        compare("one", one.path(), &mut expected).unwrap();
        compare("two", two.path(), &mut expected).unwrap();
    }

    #[test]
    fn a_row_less_or_another_row_is_noticed() {
        let mut expected = None;
        compare("one", folder(&[("tracks.ndjson", "a\nb\n")]).path(), &mut expected).unwrap();
        for other in ["a\n", "a\nc\n", "a\nb\nb\n"] {
            assert!(compare("other", folder(&[("tracks.ndjson", other)]).path(), &mut expected).is_err(), "{other}");
        }
    }

    #[test]
    fn nothing_at_all_is_no_result() {
        assert!(compare("one", folder(&[]).path(), &mut None).is_err());
    }
}
