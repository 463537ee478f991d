//! The timely source: emits what the sequencer deals, an epoch at a time, and no further ahead than sinks can follow.
//!
//! When all is read it waits until every epoch has settled on all workers; then all of them know the same stalls, and
//! those whose mapping came after all are read again. When none is left, it ends.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::Duration;

use hexflow_operators::outputs::Outputs;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::{ProbeHandle, Scope, Stream};
use timely::scheduling::SyncActivator;

use super::records::Slice;
use super::sequencer::{Again, Dealt};
use crate::board::Board;

/// Epochs that may be under way: bounds what lies between here and the slowest sink's last acknowledgement.
const EPOCHS_IN_FLIGHT: u64 = 128;

/// How often a source that waits for sinks looks whether they have followed.
const POLL: Duration = Duration::from_micros(500);

/// What a worker's source needs.
pub struct Feed {
    /// What the sequencer deals to this worker.
    pub dealt: Receiver<Dealt>,
    /// Asks the sequencer for another pass; only the process's first worker does.
    pub again: Option<Sender<Again>>,
    /// The stalls that all workers know.
    pub board: Rc<RefCell<Board>>,
    /// How far effects have settled.
    pub probe: ProbeHandle<u64>,
}

/// Emits the slices dealt to this worker; the activator wakes it when there are more.
pub fn records<'scope>(scope: Scope<'scope, u64>, feed: Feed) -> (Stream<'scope, u64, Slice>, SyncActivator) {
    let mut builder = OperatorBuilder::new("Dumps".to_owned(), scope);
    let (mut output, stream) = builder.output::<Slice>();
    let info = builder.operator_info();
    let woken = scope.worker().sync_activator_for(info.address.to_vec());
    let activator = scope.activator_for(info.address);
    builder.build(move |mut capabilities| {
        let mut capability = capabilities.pop();
        let mut settling = false;
        move |_frontiers| {
            let mut output = output.activate();
            while let Some(cap) = capability.as_mut() {
                if settling {
                    if feed.probe.less_than(cap.time()) {
                        activator.activate_after(POLL);
                        break;
                    }
                    settling = false;
                    if !feed.go_on() {
                        capability = None;
                        break;
                    }
                }
                if feed.probe.less_than(&cap.time().saturating_sub(EPOCHS_IN_FLIGHT)) {
                    activator.activate_after(POLL);
                    break;
                }
                match feed.dealt.try_recv() {
                    Ok(Dealt::Epoch(epoch, mut slice)) => {
                        cap.downgrade(&epoch);
                        output.session(&*cap).give_container(&mut slice);
                        activator.activate(); // there may be more, but the dataflow goes first
                        break;
                    }
                    Ok(Dealt::End(epoch)) => {
                        cap.downgrade(&epoch);
                        settling = true;
                    }
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => capability = None,
                }
            }
        }
    });
    (stream, woken)
}

impl Feed {
    /// Whether stalls were resolved; if so, their partitions come again.
    fn go_on(&self) -> bool {
        let again = self.board.borrow_mut().take_resolved();
        let some = !again.is_empty();
        if let Some(sequencer) = &self.again {
            // A sequencer that is gone shows as a closed channel, which ends the source.
            let _ = sequencer.send(again.into_iter().map(|(stream, (offset, _))| (stream, offset)).collect());
        }
        some
    }
}
