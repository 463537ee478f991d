//! The operator that judges: alerts go with the windows that they come of, as one item.
//!
//! Three things are said at a time of nobody's: at first what an earlier run may not have told and what is over since its rule
//! is gone, then what silence leads to, and which notices were taken, where nothing comes that this could go with.

use std::time::{Duration, Instant};

use hexflow_operators::outputs::{Output, Outputs};
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::{ProbeHandle, StreamVec};

use super::Settings;
use super::changes::Changes;
use super::judge::Judge;
use super::told::Told;
use super::windows::Epoch;

/// Time between two looks at the clock on the wall.
const LOOK: Duration = Duration::from_secs(1);

/// Time between two looks whether the last notices were taken, when nothing comes any more.
const SOON: Duration = Duration::from_millis(10);

/// Judges what epochs change, and says in them what follows. All of it must come on the first worker, in order; `sinks` is
/// behind all that is to take what is told.
pub fn judged<'scope, E: Epoch>(
    changes: StreamVec<'scope, u64, E>,
    judge: Judge,
    settings: &Settings,
    sinks: &ProbeHandle<u64>,
) -> StreamVec<'scope, u64, E> {
    let scope = changes.scope();
    let is_silent = settings.is_silent.filter(|_| !judge.is_idle());
    let (heard, looked) = (Instant::now(), Instant::now());
    let mut judging = Judging { judge, told: Told::default(), is_silent, heard, looked };
    let mut first = Some(judging.judge.begin()).filter(|first| !first.is_empty());
    let is_needed = scope.index() == 0 && (first.is_some() || !judging.judge.is_idle());
    let mut builder = OperatorBuilder::new("Alerts".to_owned(), scope);
    let activator = scope.activator_for(builder.operator_info().address);
    let mut input = builder.new_input(changes, Pipeline);
    let (mut output, judged) = builder.output::<Vec<E>>();
    let sinks = sinks.clone();
    builder.build(move |mut capabilities| {
        let mut own = capabilities.pop().filter(|_| is_needed);
        drop(capabilities);
        move |frontiers| {
            judging.told.look(|time| !sinks.less_equal(time));
            if let (Some(first), Some(own)) = (first.take(), &own) {
                judging.say(first, own, &mut output);
            }
            input.for_each(|time, epochs| {
                epochs.iter_mut().for_each(|epoch| judging.epoch(*time.time(), epoch));
                output.activate().session(&time).give_container(epochs);
            });
            let Some(held) = &mut own else { return };
            let again = match frontiers[0].frontier().first() {
                Some(first) => {
                    if held.time() < first {
                        held.downgrade(first);
                    }
                    judging.look(held, &mut output)
                }
                None => judging.end(held, &mut output),
            };
            match again {
                Some(pause) => activator.activate_after(pause),
                None => own = None,
            }
        }
    });
    judged
}

/// What the operator has.
struct Judging {
    judge: Judge,
    told: Told,
    /// Says whether nothing but silence explains that nothing comes.
    is_silent: Option<fn() -> bool>,
    /// When something last came.
    heard: Instant,
    /// When the clock on the wall was last looked at.
    looked: Instant,
}

impl Judging {
    fn epoch<E: Epoch>(&mut self, time: u64, epoch: &mut E) {
        self.judge.epoch(epoch);
        epoch.alerts().told_upto = self.told.upto();
        self.told.sent(time, epoch.alerts());
        if !epoch.marks().is_empty() {
            self.heard = Instant::now();
        }
    }

    /// Says something at a time of its own.
    fn say<E: Epoch>(&mut self, changes: Changes, held: &Capability<u64>, output: &mut Output<u64, Vec<E>>) {
        if !changes.is_empty() {
            self.told.sent(*held.time(), &changes);
            let mut epoch = E::default();
            *epoch.alerts() = changes;
            output.activate().session(held).give(epoch);
        }
    }

    /// Looks at the clock, now and then; when to look again, if ever.
    fn look<E: Epoch>(&mut self, held: &Capability<u64>, output: &mut Output<u64, Vec<E>>) -> Option<Duration> {
        if self.looked.elapsed() >= LOOK {
            self.looked = Instant::now();
            let mut changes = Changes::default();
            if let Some(is_silent) = self.is_silent {
                if !is_silent() {
                    self.heard = self.looked;
                }
                changes = self.judge.silent_for(self.heard.elapsed());
            }
            changes.told_upto = self.told.upto();
            self.say(changes, held, output);
        }
        (!self.judge.is_idle() || self.told.is_open()).then_some(LOOK)
    }

    /// Nothing comes any more: waits until all notices are taken, and says so; when to look again, if it is not over.
    fn end<E: Epoch>(&mut self, held: &mut Capability<u64>, output: &mut Output<u64, Vec<E>>) -> Option<Duration> {
        if let Some(last) = self.told.last() {
            // Whoever holds a time keeps it from passing.
            held.downgrade(&(last + 1).max(*held.time()));
            return Some(SOON);
        }
        let changes = Changes { told_upto: self.told.upto(), ..Changes::default() };
        self.say(changes, held, output);
        None
    }
}
