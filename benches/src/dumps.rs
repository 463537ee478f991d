//! The dumps that programs are run on, made by `hexflow generate`.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::measure::measure;
use crate::programs::hexflow;
use crate::report::Report;

/// The topics' files.
const FRAMES: &str = "axion.sense.citylens.frame.lifecycle.ndjson";
pub(crate) const DETECTIONS: &str = "axion.sense.citylens.detections.ndjson";

/// Records for each fresh detection: the frames, half as many, and what is delivered twice or late.
const RECORDS_EACH: (u64, u64) = (1_737, 1_000);

/// What dumps hold.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dumps {
    /// Lines of all files.
    pub(crate) records: u64,
    /// Lines of detections.
    pub(crate) detections: u64,
    /// Bytes of all files.
    pub(crate) bytes: u64,
}

impl Dumps {
    /// Tells a report how much it was.
    pub(crate) fn tell(self, report: &mut Report) {
        report.fact("records", self.records).fact("bytes", self.bytes);
    }
}

/// About `records` of all three topics, 10% of them delivered again and 5% followed by a stale one. Detailed GPS is left
/// out: its objects, a small file each, would measure the file system.
pub(crate) fn all_topics(records: u64, folder: &Path) -> Result<Dumps> {
    generate(records * RECORDS_EACH.1 / RECORDS_EACH.0, 0.05, folder)?;
    drop_gps(&folder.join(FRAMES))?;
    count(folder)
}

/// About `records` of detections, 10% of them delivered again, and their tracks.
pub(crate) fn detections(records: u64, folder: &Path) -> Result<Dumps> {
    generate(records * 10 / 11, 0.0, folder)?;
    // No frames are as good as no such file.
    fs::write(folder.join(FRAMES), "")?;
    count(folder)
}

fn generate(detections: u64, stale: f64, folder: &Path) -> Result<()> {
    let (detections, tracks) = (detections.to_string(), (detections / 1_000).max(1).to_string());
    let mut command = Command::new(hexflow());
    command.args(["generate", "--tracks", &tracks, "--detections", &detections, "--duplicates", "0.1"]);
    command.args(["--stale", &stale.to_string(), "--seed", "7"]).arg(folder);
    measure(command)?;
    Ok(())
}

fn count(folder: &Path) -> Result<Dumps> {
    let mut dumps = Dumps::default();
    for dump in fs::read_dir(folder)? {
        let dump = dump?;
        let mut lines = 0;
        let mut file = BufReader::with_capacity(1 << 18, File::open(dump.path())?);
        while let buffer = file.fill_buf()?
            && !buffer.is_empty()
        {
            lines += memchr::memchr_iter(b'\n', buffer).count() as u64;
            let taken = buffer.len();
            file.consume(taken);
        }
        dumps.records += lines;
        dumps.detections += if dump.file_name() == DETECTIONS { lines } else { 0 };
        dumps.bytes += dump.metadata()?.len();
    }
    Ok(dumps)
}

/// Takes the field `gps` out of the frames' payloads.
fn drop_gps(dump: &Path) -> Result<()> {
    let kept = dump.with_extension("kept");
    let (mut from, mut to) = (BufReader::new(File::open(dump)?), BufWriter::new(File::create(&kept)?));
    let mut line = String::new();
    while from.read_line(&mut line)? > 0 {
        let (before, rest) = line.split_once(r#",\"gps\":["#).unwrap_or((&line, "]"));
        let after = rest.split_once(']').context("a list without end")?.1;
        write!(to, "{before}{after}")?;
        line.clear();
    }
    to.flush()?;
    Ok(fs::rename(kept, dump)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detailed_gps_is_left_out_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let dump = folder.path().join("frames");
        let (with, plain) = (r#"{"p":"{\"a\":[1],\"gps\":[{\"x\":1}],\"b\":2}"}"#, r#"{"p":"{\"a\":[1]}"}"#);
        fs::write(&dump, format!("{with}\n{plain}\n")).unwrap();
        drop_gps(&dump).unwrap();
        let wanted = r#"{"p":"{\"a\":[1],\"b\":2}"}"#;
        assert_eq!(fs::read_to_string(&dump).unwrap(), format!("{wanted}\n{plain}\n"));
    }
}
