//! The files that dumps are written to: under a passing name until all of them are whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use hexflow_dataflows::messages::topic::Topic;

use super::args::OutputArgs;
use super::compress::{Compression, Encoder};

/// Lines gather until there are so many bytes of them.
const BUFFER_BYTES: usize = 256 * 1024;

/// A file that is not whole yet; gone when dropped before it is.
struct Partial {
    path: PathBuf,
    target: PathBuf,
    /// The same dump in other forms: beside the target they would be read as more of it.
    others: Vec<PathBuf>,
}

impl Partial {
    fn new(dir: &Path, name: &str) -> Self {
        // A leading dot: whoever reads the folder meanwhile must not take half a dump for a whole one.
        Partial { path: dir.join(format!(".{name}.partial")), target: dir.join(name), others: Vec::new() }
    }

    fn of_topic(args: &OutputArgs, topic: Topic) -> Self {
        let mut partial = Partial::new(&args.dir, &format!("{}.ndjson{}", topic.name(), args.compress.suffix()));
        partial.others = forms_of(&args.dir, topic).filter(|other| *other != partial.target).collect();
        partial
    }

    fn publish(&self) -> Result<()> {
        fs::rename(&self.path, &self.target).with_context(|| format!("renaming to {}", self.target.display()))?;
        for other in self.others.iter().filter(|other| other.exists()) {
            fs::remove_file(other).with_context(|| format!("removing {}", other.display()))?;
        }
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After a success it has been renamed and is not there; after a failure there is nothing better to be done.
        let _ = fs::remove_file(&self.path);
    }
}

/// Every file that a dump of the topic may be in.
fn forms_of(dir: &Path, topic: Topic) -> impl Iterator<Item = PathBuf> {
    let forms = Compression::value_variants().iter();
    forms.map(move |form| dir.join(format!("{}.ndjson{}", topic.name(), form.suffix())))
}

/// Where lines go.
pub(super) struct Sink {
    /// For errors.
    name: String,
    buffer: Vec<u8>,
    written_bytes: u64,
    encoder: Encoder,
    partial: Option<Partial>,
}

/// Opens a sink for each topic, or one for all where the folder is `-`, the standard output.
pub(super) fn create(args: &OutputArgs, topics: &[Topic]) -> Result<Vec<Sink>> {
    if args.is_standard_output() {
        return Ok(vec![Sink::new("standard output".into(), Box::new(io::stdout()), args.compress, None)?]);
    }
    prepare(args, topics.iter().flat_map(|&topic| forms_of(&args.dir, topic)))?;
    topics.iter().map(|&topic| Sink::create(Partial::of_topic(args, topic), args.compress)).collect()
}

/// Opens a plain file of that name beside the dumps; there is none beside the standard output.
pub(super) fn create_beside(args: &OutputArgs, name: &str) -> Result<Option<Sink>> {
    if args.is_standard_output() {
        return Ok(None);
    }
    let partial = Partial::new(&args.dir, name);
    prepare(args, [partial.target.clone()])?;
    Sink::create(partial, Compression::None).map(Some)
}

/// Makes the folder, unless files are there that only force replaces.
fn prepare(args: &OutputArgs, files: impl IntoIterator<Item = PathBuf>) -> Result<()> {
    let exists = files.into_iter().find(|file| file.exists());
    if !args.force
        && let Some(file) = exists
    {
        bail!("{} exists; --force replaces the dumps in {}", file.display(), args.dir.display());
    }
    fs::create_dir_all(&args.dir).with_context(|| format!("creating folder {}", args.dir.display()))
}

impl Sink {
    fn create(partial: Partial, compress: Compression) -> Result<Sink> {
        let file = File::create(&partial.path).with_context(|| format!("creating {}", partial.path.display()))?;
        Sink::new(partial.target.display().to_string(), Box::new(file), compress, Some(partial))
    }

    fn new(name: String, out: Box<dyn Write>, compress: Compression, partial: Option<Partial>) -> Result<Sink> {
        let encoder = Encoder::new(out, compress).with_context(|| format!("compressing into {name}"))?;
        let buffer = Vec::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 4);
        Ok(Sink { name, buffer, written_bytes: 0, encoder, partial })
    }

    /// Where the next line is to be appended.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Passes the lines on once there are enough of them.
    pub(super) fn write_if_full(&mut self) -> Result<()> {
        if self.buffer.len() < BUFFER_BYTES { Ok(()) } else { self.write() }
    }

    fn write(&mut self) -> Result<()> {
        self.encoder.write_all(&self.buffer).with_context(|| format!("writing {}", self.name))?;
        self.written_bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<(u64, Option<Partial>)> {
        self.write()?;
        self.encoder.finish().with_context(|| format!("writing {}", self.name))?;
        Ok((self.written_bytes, self.partial))
    }
}

/// Ends the files, then gives all of them their names; returns how many bytes of lines `sinks` hold.
pub(super) fn finish(sinks: Vec<Sink>, beside: Option<Sink>) -> Result<u64> {
    let finished = sinks.into_iter().map(Sink::finish).collect::<Result<Vec<_>>>()?;
    let beside = beside.map(Sink::finish).transpose()?;
    let all = finished.iter().chain(&beside);
    all.filter_map(|(_, partial)| partial.as_ref()).try_for_each(Partial::publish)?;
    Ok(finished.iter().map(|(bytes, _)| bytes).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::generate;
    use crate::generate::tests::args_in;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = entries.collect();
        names.sort();
        names
    }

    #[test]
    fn dumps_are_replaced_only_by_force_and_then_wholly() {
        let dir = tempfile::tempdir().unwrap();
        generate(&args_in(dir.path(), &["--detections=20"])).unwrap();
        assert_eq!(names(dir.path()).len(), 3);
        let again = args_in(dir.path(), &["--detections=20", "--compress=zstd"]);
        let error = generate(&again).unwrap_err().to_string();
        assert!(error.contains("track.lifecycle.ndjson exists") && error.contains("--force"), "{error}");
        generate(&args_in(dir.path(), &["--detections=20", "--compress=zstd", "--force"])).unwrap();
        assert_eq!(names(dir.path()).len(), 3);
        assert!(names(dir.path()).iter().all(|name| name.ends_with(".ndjson.zst")), "{:?}", names(dir.path()));
    }

    #[test]
    fn what_cannot_be_written_is_an_error_with_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let error = format!("{:#}", generate(&args_in(&file, &[])).unwrap_err());
        assert!(error.contains(&*file.to_string_lossy()), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut sink = Sink::new("full".into(), Box::new(full), Compression::Gzip, None).unwrap();
        sink.buffer().extend_from_slice(b"line\n");
        let error = format!("{:#}", sink.finish().map(|_| ()).unwrap_err());
        assert!(error.contains("writing full") && error.contains("space"), "{error}");
    }
}
