//! Alerts: rules over the figures of windows, by key, judged as windows become complete.
//!
//! ```text
//!   an epoch's changes --> windows by rule and key --+--> machine, window by window --> alerts --> what differs: rows, notices
//!                    \--> clock: up to where --------+
//! ```
//!
//! The alerts of a key are a function of its windows up to the clock, in event time: see [`machine`] for what becomes of a
//! key from window to window, [`clock`] for when a window is judged, and [`series`] for what late data do. So they are the
//! same on any number of workers and in any epochs, and a run that goes on from what a store has kept finds them again.
//! A window without a row counts as zero where something is counted, and else as right: nothing is known to be wrong.
//!
//! What an epoch changes of alerts goes with its windows, as one item. Where all is silent a run has event time go on with the
//! clock on the wall: then, and only then, alerts depend on when they are judged.

pub mod changes;
pub mod clock;
pub mod figure;
pub mod judge;
pub mod judged;
pub mod key;
pub mod machine;
pub mod rule;
pub mod series;
pub mod told;
pub mod windows;

#[cfg(test)]
mod tests;

use self::clock::Patience;
use self::rule::Rule;
use crate::pipelines::Pipeline;

/// What is to be judged, and when.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The rules of all pipelines.
    pub rules: Vec<Rule>,
    /// How long data are waited for.
    pub patience: Patience,
    /// In a run that can hear silence: says whether there is nothing else that explains it.
    pub is_silent: Option<fn() -> bool>,
}

impl Settings {
    /// The rules over a pipeline's windows.
    pub fn rules_of(&self, pipeline: Pipeline) -> Vec<Rule> {
        self.rules.iter().filter(|rule| rule.figure.pipeline() == pipeline).cloned().collect()
    }
}
