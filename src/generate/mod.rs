//! `hexflow generate`: dumps of the citylens topics, of any size, as vehicles on streets would fill them.
//!
//! ```text
//! city, street, fixture   the world, the same for every seed
//! drive, vehicle, plan    who drives where, and how much each tells
//! frame, detection        the messages, told by
//! traffic                 whose agenda is the clock
//! post: message, broken, later    what goes wrong on the way
//! log: envelope, file, compress   partitions, offsets, lines
//! random, id, summary
//! ```
//!
//! Time only goes forward, and what is past is forgotten: memory holds the vehicles on the road and a minute of
//! re-deliveries, however many messages there are.

mod broken;
mod city;
mod compress;
mod detection;
mod drive;
mod envelope;
mod file;
mod fixture;
mod frame;
mod id;
mod later;
mod log;
mod message;
mod plan;
mod post;
mod random;
mod street;
mod summary;
#[cfg(test)]
mod tests;
mod traffic;
mod vehicle;

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use hexflow_dataflows::time::Instant;

pub use self::compress::Compression;
pub use self::summary::Summary;

/// Writes dumps of the three citylens topics, as vehicles driving through a dozen cities would fill them.
///
/// --tracks, --frames and --detections count fresh messages, and come out exactly. What --duplicates, --stale,
/// --malformed and --orphans add comes on top, each by its own chance for each fresh message; the fresh messages of a
/// seed stay the same whatever is added. The same options give the same bytes.
#[derive(clap::Args, Clone, Debug)]
pub struct GenerateArgs {
    /// Vehicle trips; each is told of by a `started`, some `recording` and a `finished` message.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub tracks: u64,
    /// Fresh detection messages in all, before duplicates, stale, malformed and orphaned ones are added.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub detections: u64,
    /// Fresh frame messages in all [default: --detections over --detections-per-frame].
    #[arg(long, value_name = "N", conflicts_with = "detections_per_frame")]
    pub frames: Option<u64>,
    /// Mean number of detections in a frame.
    #[arg(long, value_name = "MEAN", default_value_t = 2.0, value_parser = mean)]
    pub detections_per_frame: f64,
    /// Share, 0 to 1, of fresh messages that are delivered again 1 to 60 s later: same payload and request-id.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub duplicates: f64,
    /// Share, 0 to 1, of fresh messages that are followed, 1 to 60 s later, by an older version of the same entity.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub stale: f64,
    /// Share, 0 to 1, of fresh messages that are followed by a broken copy, of eight kinds in turn.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub malformed: f64,
    /// Share, 0 to 1, of fresh frames and detections that are followed by one whose track is never announced.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub orphans: f64,
    /// What all chance comes from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// When event time begins, RFC 3339.
    #[arg(long, value_name = "TIME", default_value = "2026-01-01T00:00:00Z", value_parser = Instant::parse)]
    pub start: Instant,
    /// Frames a second of each vehicle.
    #[arg(long, value_name = "HERTZ", default_value_t = 1.0, value_parser = rate)]
    pub rate: f64,
    /// Most vehicles on the road at once; event time spans about frames / (vehicles x rate) seconds.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub vehicles: u32,
    /// Compression of the files.
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Compression::None)]
    pub compress: Compression,
    /// Replaces dumps of the same topics that are in the folder.
    #[arg(long)]
    pub force: bool,
    /// The folder to write into, made if need be; `-` writes all topics to the standard output, by time.
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

/// Writes the dumps, and a line about them to the standard error.
pub fn run(args: &GenerateArgs) -> Result<()> {
    let summary = generate(args)?;
    // Whoever closed the standard error does not want to know.
    let _ = writeln!(std::io::stderr(), "{summary}; in {}", args.dir.display());
    Ok(())
}

/// Writes the dumps; tells what was written.
pub fn generate(args: &GenerateArgs) -> Result<Summary> {
    traffic::Traffic::new(args)?.run()
}

fn number(text: &str, range: std::ops::RangeInclusive<f64>) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    match range.contains(&value) {
        true => Ok(value),
        false => Err(format!("must lie within {} and {}", range.start(), range.end())),
    }
}

fn share(text: &str) -> Result<f64, String> {
    number(text, 0.0..=1.0)
}

fn mean(text: &str) -> Result<f64, String> {
    number(text, 0.001..=1_000.0)
}

fn rate(text: &str) -> Result<f64, String> {
    number(text, 0.001..=100.0)
}
