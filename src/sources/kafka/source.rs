//! The timely source: emits what the feeder deals, an epoch at a time, and lets pass what will not come.

use std::sync::mpsc::{Receiver, TryRecvError};

use hexflow_operators::outputs::Outputs;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::vec::Broadcast;
use timely::dataflow::{Scope, Stream, StreamVec};
use timely::scheduling::SyncActivator;

use super::batch::Batch;
use super::gate::{Dealt, Gate};

/// What a worker's source needs.
pub struct Feed {
    /// What the feeder deals to this worker.
    pub dealt: Receiver<Dealt>,
    /// From which time on it deals.
    pub gate: Gate,
    /// Whether this is the process's first worker, which tells the other processes.
    pub first: bool,
}

/// Emits the batches dealt to this worker; the activator wakes it when there are more.
pub fn records<'scope>(scope: Scope<'scope, u64>, feed: Feed) -> (Stream<'scope, u64, Batch>, SyncActivator) {
    let mut builder = OperatorBuilder::new("Kafka".to_owned(), scope);
    let (mut output, stream) = builder.output::<Batch>();
    let (mut told, telling) = builder.output::<Vec<bool>>();
    let info = builder.operator_info();
    let woken = scope.worker().sync_activator_for(info.address.to_vec());
    let activator = scope.activator_for(info.address);
    let Feed { dealt, gate, first } = feed;
    let hearing = gate.clone();
    builder.build(move |capabilities| {
        let mut capabilities = Some(capabilities);
        move |_frontiers| {
            let Some(held) = capabilities.as_mut() else { return };
            let floor = gate.floor(); // before what was dealt is looked at: all that is below is there
            let (time, batches, stops) = match dealt.try_recv() {
                Ok(Dealt::Epoch(time, batches)) => (time, Some(batches), false),
                Ok(Dealt::Stop(time)) => (time, None, true),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => {
                    match floor {
                        Some(floor) => held.iter_mut().for_each(|held| held.downgrade(&floor)),
                        None => capabilities = None,
                    }
                    return;
                }
            };
            held.iter_mut().for_each(|held| held.downgrade(&time));
            let mut output = output.activate();
            for mut batch in batches.into_iter().flatten().filter(|batch| !batch.is_empty()) {
                output.session(&held[0]).give_container(&mut batch);
            }
            if first {
                told.activate().session(&held[1]).give(stops);
            }
            activator.activate(); // there may be more, but the dataflow goes first
        }
    });
    hear(telling, hearing);
    (stream, woken)
}

/// Raises this process's floor above what others deal, and hears when one stops.
fn hear(telling: StreamVec<'_, u64, bool>, gate: Gate) {
    telling.broadcast().unary::<CapacityContainerBuilder<Vec<()>>, _, _, _>(Pipeline, "Hear", |_capability, _info| {
        move |input, _output| {
            input.for_each(|time, stops| gate.hear(*time.time(), stops.iter().any(|&stops| stops)));
        }
    });
}
