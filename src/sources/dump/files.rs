//! Which files the command line's paths name, and how each is opened.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};

/// Endings of a folder's files that are dumps, before an ending that says how they are packed.
const DUMP_ENDINGS: [&str; 4] = [".ndjson", ".jsonl", ".json", ".dump"];
const PACKED_ENDINGS: [&str; 3] = [".gz", ".zst", ".zstd"];

/// A dump: a file that can be read again and again.
#[derive(Debug)]
pub struct Dump {
    /// As the user named it.
    pub name: String,
    /// Bytes, packed as they are; 0 if unknown.
    pub bytes: u64,
    input: Input,
}

#[derive(Debug)]
enum Input {
    Path(PathBuf),
    /// What was read from a stream that cannot be read again, kept in an unnamed file.
    Spool(File),
}

/// The dumps that `paths` name: files, folders of files (not their subfolders), or `-` for standard input.
///
/// Fails if a path does not exist or a folder holds no dump.
pub fn find(paths: &[PathBuf]) -> Result<Vec<Dump>> {
    let mut dumps = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            dumps.push(spool("standard input", io::stdin().lock())?);
            continue;
        }
        let kind = fs::metadata(path).with_context(|| format!("cannot read {}: check the path", path.display()))?;
        if kind.is_dir() {
            let found = in_folder(path)?;
            if found.is_empty() {
                bail!("no dump in {}: their names end in {}, packed or not", path.display(), DUMP_ENDINGS.join(", "));
            }
            dumps.extend(found);
        } else if kind.is_file() {
            dumps.push(file(path.clone(), kind.len()));
        } else {
            let pipe = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
            dumps.push(spool(&path.display().to_string(), pipe)?);
        }
    }
    Ok(dumps)
}

fn file(path: PathBuf, bytes: u64) -> Dump {
    Dump { name: path.display().to_string(), bytes, input: Input::Path(path) }
}

/// The dumps of a folder, by name.
fn in_folder(folder: &Path) -> Result<Vec<Dump>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot list {}", folder.display()))?.path();
        let kind = fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if kind.is_file() && is_dump_name(&path.file_name().unwrap_or_default().to_string_lossy()) {
            paths.push((path, kind.len()));
        }
    }
    paths.sort();
    Ok(paths.into_iter().map(|(path, bytes)| file(path, bytes)).collect())
}

fn is_dump_name(name: &str) -> bool {
    let plain = PACKED_ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    !name.starts_with('.') && DUMP_ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

/// Keeps a copy of a stream that can be read only once: stalled partitions may have to be read a second time.
fn spool(name: &str, mut stream: impl Read) -> Result<Dump> {
    let mut spool = tempfile::tempfile().context("cannot make a temporary file: check TMPDIR")?;
    let bytes = io::copy(&mut stream, &mut spool).with_context(|| format!("cannot copy {name} into TMPDIR"))?;
    spool.flush().context("cannot write a temporary file: check TMPDIR")?;
    Ok(Dump::spooled(name.to_owned(), bytes, spool))
}

impl Dump {
    /// A dump that lies in an unnamed file.
    pub fn spooled(name: String, bytes: u64, file: File) -> Self {
        Dump { name, bytes, input: Input::Spool(file) }
    }

    /// Opens the dump at its beginning, unpacked; `read` counts its packed bytes as they are read.
    pub fn open(&self, read: Arc<AtomicU64>) -> io::Result<Box<dyn Read + Send>> {
        let file = match &self.input {
            Input::Path(path) => File::open(path)?,
            Input::Spool(file) => {
                let mut again = file.try_clone()?;
                again.rewind()?;
                again
            }
        };
        let mut packed = BufReader::with_capacity(1 << 17, Counting { file, read });
        let magic = packed.fill_buf()?;
        if magic.starts_with(&[0x1f, 0x8b]) {
            Ok(Box::new(flate2::bufread::MultiGzDecoder::new(packed)))
        } else if magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            let mut unpacked = zstd::stream::read::Decoder::with_buffer(packed)?;
            unpacked.window_log_max(31)?; // as `zstd --long=31` packs
            Ok(Box::new(unpacked))
        } else {
            Ok(Box::new(packed))
        }
    }
}

struct Counting {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_its_dumps_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.ndjson.gz", "a.ndjson", "locations.csv", ".hidden.ndjson", "c.jsonl.zst"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let found = find(&[folder.path().to_owned()]).unwrap();
        let names: Vec<_> = found.iter().map(|dump| dump.name.rsplit('/').next().unwrap()).collect();
        assert_eq!(names, ["a.ndjson", "b.ndjson.gz", "c.jsonl.zst"]);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let error = format!("{:#}", find(&["/no/such/dump".into()]).unwrap_err());
        assert!(error.contains("/no/such/dump"), "{error}");
        let empty = tempfile::tempdir().unwrap();
        assert!(format!("{:#}", find(&[empty.path().to_owned()]).unwrap_err()).contains("no dump in"));
    }
}
