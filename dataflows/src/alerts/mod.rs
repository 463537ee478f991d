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
pub mod key;
pub mod machine;
pub mod rule;
pub mod series;
pub mod windows;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use hexflow_operators::outputs::Outputs;
use timely::dataflow::StreamVec;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::order::TotalOrder;
use timely::progress::Timestamp;

use self::clock::Patience;
use self::judge::Judge;
use self::rule::Rule;
use self::windows::Epoch;
use crate::pipelines::Pipeline as Of;

/// Time between two looks at the clock on the wall.
const LOOK: Duration = Duration::from_secs(1);

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
    pub fn rules_of(&self, pipeline: Of) -> Vec<Rule> {
        self.rules.iter().filter(|rule| rule.figure.pipeline() == pipeline).cloned().collect()
    }
}

/// Judges what epochs change, and says in them what follows; before the first of them, that alerts are over whose rules are
/// gone. All of it must come on the first worker, in order.
pub fn judged<'scope, T: Timestamp + TotalOrder, E: Epoch>(
    changes: StreamVec<'scope, T, E>,
    mut judge: Judge,
    settings: &Settings,
) -> StreamVec<'scope, T, E> {
    let scope = changes.scope();
    let is_silent = settings.is_silent.filter(|_| scope.index() == 0 && !judge.is_idle());
    let orphans = Some(judge.close_orphans()).filter(|orphans| !orphans.is_empty());
    let mut builder = OperatorBuilder::new("Alerts".to_owned(), scope);
    let activator = scope.activator_for(builder.operator_info().address);
    let mut input = builder.new_input(changes, Pipeline);
    let (mut output, judged) = builder.output::<Vec<E>>();
    builder.build(move |mut capabilities| {
        // These two are told of at a time of nobody's.
        let first = capabilities.pop();
        let mut closing = orphans.zip(first.clone());
        let mut silence = is_silent.zip(first);
        drop(capabilities);
        let (mut heard, mut looked) = (Instant::now(), Instant::now());
        move |frontiers| {
            if let Some((orphans, capability)) = closing.take() {
                let mut epoch = E::default();
                *epoch.alerts() = orphans;
                output.activate().session(&capability).give(epoch);
            }
            input.for_each(|time, epochs| {
                for epoch in &mut *epochs {
                    judge.epoch(epoch);
                    if !epoch.marks().is_empty() {
                        heard = Instant::now();
                    }
                }
                output.activate().session(&time).give_container(epochs);
            });
            let Some((is_silent, capability)) = &mut silence else { return };
            match frontiers[0].frontier().first() {
                Some(first) if capability.time() < first => capability.downgrade(first),
                Some(_) => {}
                None => {
                    silence = None;
                    return;
                }
            }
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                if !is_silent() {
                    heard = looked;
                }
                let mut epoch = E::default();
                *epoch.alerts() = judge.silent_for(heard.elapsed());
                if !epoch.alerts().is_empty() {
                    output.activate().session(&*capability).give(epoch);
                }
            }
            activator.activate_after(LOOK);
        }
    });
    judged
}
