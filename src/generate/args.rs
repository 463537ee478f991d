//! What may be asked for.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::ValueEnum;
use hexflow_dataflows::time::Instant;
use jiff::SignedDuration;

use super::compress::Compression;

/// Instants later than this cannot be written as RFC 3339: the year 9999.
const LAST_MS: i64 = 253_370_764_800_000;

/// A pipeline that reads topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pipeline {
    /// Tracks, frames and detections of vehicles on streets.
    Citylens,
    /// Movements: readings of sensors that travelers pass.
    Sensors,
    /// Camera detections, and the set of their locations, `locations.csv`.
    Cameras,
}

/// Writes dumps of a pipeline's topics, as vehicles driving through a dozen cities, travelers passing sensors, or
/// cameras would fill them.
///
/// Numbers of fresh messages come out exactly. What --duplicates, --stale, --malformed and --orphans add comes on top,
/// each by its own chance for each fresh message; the fresh messages of a seed stay the same whatever is added, and
/// however late they arrive. The same options give the same bytes.
#[derive(clap::Args, Clone, Debug)]
pub struct Options {
    /// The pipeline whose topics are written.
    #[arg(long, value_name = "NAME", value_enum, default_value_t = Pipeline::Citylens)]
    pub pipeline: Pipeline,
    /// Share, 0 to 1, of fresh messages that are delivered again 1 to 60 s later: same payload and request-id.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub duplicates: f64,
    /// What all chance comes from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// When event time begins, RFC 3339.
    #[arg(long, value_name = "TIME", default_value = "2026-01-01T00:00:00Z", value_parser = Instant::parse)]
    pub start: Instant,
    /// Of citylens, frames a second of each vehicle [default: 1]. Of sensors and cameras, messages a second of event
    /// time, all together [default: 1 for each traveler; 1000 of cameras].
    #[arg(long, value_name = "HERTZ", value_parser = rate)]
    pub rate: Option<f64>,
    /// Where it goes.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Of citylens and cameras.
    #[command(flatten, next_help_heading = "Of citylens and cameras")]
    pub seen: SeenArgs,
    /// Of citylens.
    #[command(flatten, next_help_heading = "Of citylens")]
    pub citylens: CitylensArgs,
    /// Of sensors and cameras.
    #[command(flatten, next_help_heading = "Of sensors and cameras")]
    pub delays: DelayArgs,
    /// Of sensors.
    #[command(flatten, next_help_heading = "Of sensors")]
    pub sensors: SensorsArgs,
    /// Of cameras.
    #[command(flatten, next_help_heading = "Of cameras")]
    pub cameras: CamerasArgs,
}

/// Where it goes.
#[derive(clap::Args, Clone, Debug)]
pub struct OutputArgs {
    /// Compression of the dumps.
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Compression::None)]
    pub compress: Compression,
    /// Replaces dumps of the same topics that are in the folder.
    #[arg(long)]
    pub force: bool,
    /// The folder to write into, made if need be; `-` writes all topics to the standard output, by time.
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

/// What detectors see.
#[derive(clap::Args, Clone, Debug)]
pub struct SeenArgs {
    /// Fresh detection messages in all, before duplicates, stale, malformed and orphaned ones are added
    /// [default: 10000].
    #[arg(long, value_name = "N")]
    pub detections: Option<u64>,
}

/// Of citylens.
#[derive(clap::Args, Clone, Debug)]
pub struct CitylensArgs {
    /// Vehicle trips; each is told of by a `started`, some `recording` and a `finished` message.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub tracks: u64,
    /// Fresh frame messages in all [default: --detections over --detections-per-frame].
    #[arg(long, value_name = "N", conflicts_with = "detections_per_frame")]
    pub frames: Option<u64>,
    /// Mean number of detections in a frame.
    #[arg(long, value_name = "MEAN", default_value_t = 2.0, value_parser = mean)]
    pub detections_per_frame: f64,
    /// Share, 0 to 1, of fresh messages that are followed, 1 to 60 s later, by an older version of the same entity.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub stale: f64,
    /// Share, 0 to 1, of fresh messages that are followed by a broken copy, of eight kinds in turn.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub malformed: f64,
    /// Share, 0 to 1, of fresh frames and detections that are followed by one whose track is never announced.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub orphans: f64,
    /// Most vehicles on the road at once; event time spans about frames / (vehicles x rate) seconds.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = count())]
    pub vehicles: u32,
}

/// How messages of sensors and cameras are on their way.
#[derive(clap::Args, Clone, Debug)]
pub struct DelayArgs {
    /// Share, 0 to 1, of fresh messages that arrive late: half of them by less than about a 250th of --lateness, one in
    /// ten by more than two fifths of it.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub late: f64,
    /// The longest that a late message is on its way; all that are under way are held in memory.
    #[arg(long, value_name = "DURATION", default_value = "6h", value_parser = some_seconds)]
    pub lateness: Duration,
    /// How long, at most, any message is on its way, so that they arrive out of order within that.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub disorder: Duration,
}

/// Of sensors.
#[derive(clap::Args, Clone, Debug)]
pub struct SensorsArgs {
    /// Sensors that travelers pass.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = count())]
    pub sensors: u32,
    /// Travelers about at once, of whom a third or so are near a sensor; one that has made its visits is followed by
    /// another.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = count())]
    pub travelers: u32,
    /// Fresh movement messages in all, before duplicates are added.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub readings: u64,
    /// The silence that ends a visit: between two visits there is more of it, within one there is not.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = some_seconds)]
    pub visit_gap: Duration,
}

/// Of cameras.
#[derive(clap::Args, Clone, Debug)]
pub struct CamerasArgs {
    /// Locations in `locations.csv`.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = count())]
    pub locations: u32,
    /// Cameras at them, some busier than others.
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = count())]
    pub cameras: u32,
    /// Names of items, the n-th of them seen 1/n as often as the first.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = count())]
    pub items: u32,
    /// Share, 0 to 1, of detections at locations that are not in `locations.csv`.
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    pub unknown: f64,
}

impl Options {
    /// Fresh detection messages in all.
    pub fn detections(&self) -> u64 {
        self.seen.detections.unwrap_or(10_000)
    }

    /// Hertz.
    pub fn rate(&self) -> f64 {
        self.rate.unwrap_or(match self.pipeline {
            Pipeline::Citylens => 1.0,
            Pipeline::Sensors => f64::from(self.sensors.travelers),
            Pipeline::Cameras => 1_000.0,
        })
    }
}

impl DelayArgs {
    /// The longest that a message is on its way, and a duplicate of it, ms.
    pub(super) fn longest_ms(&self) -> u128 {
        self.lateness.as_millis() + self.disorder.as_millis() + 60_000
    }
}

impl OutputArgs {
    /// Whether there are no files.
    pub(super) fn is_standard_output(&self) -> bool {
        self.dir == Path::new("-")
    }
}

impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Pipeline::Citylens => "citylens",
            Pipeline::Sensors => "sensors",
            Pipeline::Cameras => "cameras",
        })
    }
}

/// Fails if instants from `start` on for so long cannot all be written; `remedy` says what makes it shorter.
pub(super) fn ensure_writable(start: Instant, span_ms: f64, remedy: &str) -> Result<()> {
    ensure!(
        start.ms >= 0 && (start.ms as f64 + span_ms) < LAST_MS as f64,
        "event time from {start} on must lie within the years 1970 to 9998; {remedy} shorten it"
    );
    Ok(())
}

fn count() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=1_000_000)
}

fn number(text: &str, range: RangeInclusive<f64>) -> Result<f64, String> {
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
    number(text, 0.001..=1e7)
}

/// A time that messages may be on their way: no longer than a year, so that sums of instants are instants.
fn duration(text: &str) -> Result<Duration, String> {
    let duration = text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    let duration = duration.ok_or("expected a duration such as 500ms, 10s or 1h 30m")?;
    if duration <= Duration::from_secs(366 * 86_400) { Ok(duration) } else { Err("must be at most 8784h".into()) }
}

fn some_seconds(text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    if duration >= Duration::from_secs(1) { Ok(duration) } else { Err("must be at least 1s".into()) }
}
