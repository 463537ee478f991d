//! `hexflow generate`: dumps of a pipeline's topics, of any size, as the world would fill them.
//!
//! ```text
//! citylens, vehicles on streets:
//!   city, street, fixture   the world, the same for every seed
//!   drive, vehicle, plan    who drives where, and how much each tells
//!   frame, detection        the messages, told by
//!   traffic                 whose agenda is the clock
//!   post: message, broken, later    what goes wrong on the way
//!   log: envelope           and into the topics
//! readings                  travelers at sensors, and what cameras see
//! topics: file, compress    partitions, offsets, lines
//! args, owners, random, id, summary
//! ```
//!
//! Time only goes forward, and what is past is forgotten: memory holds those on the road and what is on its way, however
//! many messages there are.

mod args;
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
mod owners;
mod plan;
mod post;
mod random;
mod readings;
mod street;
mod summary;
#[cfg(test)]
mod tests;
mod topics;
mod traffic;
mod vehicle;

use std::io::Write;

use anyhow::Result;

pub use self::args::{CamerasArgs, CitylensArgs, DelayArgs, Options, OutputArgs, Pipeline, SeenArgs, SensorsArgs};
pub use self::compress::Compression;
pub use self::owners::GenerateArgs;
pub use self::summary::Summary;

/// Writes the dumps, and a line about them to the standard error.
pub fn run(args: &GenerateArgs) -> Result<()> {
    let summary = generate(&args.0)?;
    // Whoever closed the standard error does not want to know.
    let _ = writeln!(std::io::stderr(), "{summary}; in {}", args.0.output.dir.display());
    Ok(())
}

/// Writes the dumps; tells what was written.
pub fn generate(options: &Options) -> Result<Summary> {
    match options.pipeline {
        Pipeline::Citylens => traffic::Traffic::new(options)?.run(),
        Pipeline::Sensors => readings::crowd::Crowd::new(options)?.run(),
        Pipeline::Cameras => readings::cameras::Cameras::new(options)?.run(),
    }
}
