//! The locations of cameras: whether they can be read.

use super::{Check, told};
use crate::config::Config;
use crate::locations::Source;

/// Reads them, if the configuration has them.
pub fn check(config: &Config) -> Option<Check> {
    match Source::of(config) {
        Ok(source) => source.map(|mut source| {
            let read = source.read().map(|locations| format!("{} are known", locations.len()));
            Check::new(format!("locations of cameras, {}", source.shown()), read)
        }),
        Err(failure) => Some(Check::new("locations of cameras", Err(told(failure)))),
    }
}
