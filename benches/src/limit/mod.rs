//! The limit: a single-threaded program, written by hand for these three topics, without a framework, and made fast.
//!
//! Files merged by time, payloads read where they stand, a hash join of tracks with their axion ids, exact deduplication by
//! primary key, H3 cells, lines of JSON. It knows no stalls, checks no ranges, stops at what is malformed, and calls
//! content equal when its bytes are. All that it leaves out makes it faster.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

mod batch;
mod cell;
mod cursor;
mod lanes;
mod lines;
mod message;
mod number;
mod rows;
mod state;
mod table;
mod time;
mod unusual;

use self::lines::Input;
use self::message::Topic;
use self::state::State;

/// Reads the dumps of the three topics in `dumps`, and writes the tables into `out`.
pub(crate) fn run(dumps: &Path, out: &Path) -> Result<()> {
    fs::create_dir_all(out)?;
    let mut state = State::create(out)?;
    let path = |topic: Topic| -> PathBuf { dumps.join(format!("{}.ndjson", topic.name())) };
    let mut inputs = [
        Input::open(&path(Topic::Tracks))?,
        Input::open(&path(Topic::Frames))?,
        Input::open(&path(Topic::Detections))?,
    ];
    while batch::pass(&mut inputs, &mut state)? {}
    state.finish().context("cannot write the tables")
}
