//! The history of cameras: rows of `camera_detections` that nothing changes any more, as Parquet files by day.
//!
//! ```text
//!   PREFIX/camera_detections/day=D/UPTO-HASH.parquet      rows detected on a day (UTC), settled below UPTO, ms since the epoch
//!   PREFIX/camera_detections/_store.json                  which store these are rows of
//!
//!   settled rows --> sink: a file a day and step --> durable --> only then the changes of their epoch go to the store,
//!                                                                and with them the mark up to where rows are settled
//! ```
//! A reader takes all files as they are: no list says which of them count. So a row must be in one file, whatever happens, and
//! stay as it is. The first is so since the files of a step are durable before the store knows of it: a file whose UPTO is
//! beyond the store's mark is of a step that the store never came to know, the next run takes it away (`take_up.rs`), and
//! settles the same rows again from what the store holds. The second is so since rows are settled once they are below the
//! floor of event time, where nothing is in time any more: see [`hexflow_dataflows::cameras::settle`].
//!
//! The alternatives: a log of changes would have each reader find the last of a row; a list of files, each reader know it; and
//! rows read from the store once a day is over may be gone from there.

pub mod file;
pub mod name;
pub mod sink;
pub mod take_up;

use hexflow_dataflows::pipelines::Pipeline;

use crate::cli::Failure;
use crate::config::Config;
use crate::objects;
use crate::replay::args::Store;
use crate::replay::plan::Outlets;

pub use sink::History;

/// The store of the history that a run writes, if it does. Fails where its rows go to something that keeps nothing to go on
/// from.
pub fn open(args: &Outlets<'_>, config: &Config) -> Result<Option<objects::Store>, Failure> {
    let url = config.cameras.history.as_deref().filter(|_| args.pipelines.contains(Pipeline::Cameras));
    let Some(url) = url else { return Ok(None) };
    if !matches!(args.store, Store::Sqlite(_) | Store::ClickHouse) {
        let message = "cameras.history: lines, and null, keep nothing from which a later run could go on with it: use --store \
                       sqlite:PATH or clickhouse";
        return Err(Failure::usage(message));
    }
    let place = objects::Place::parse(url).map_err(Failure::usage)?;
    Ok(if args.dry_run { None } else { Some(objects::Store::open_synced(&place, config)?) })
}
