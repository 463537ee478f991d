//! The locations of cameras as an input of the live dataflow: those that stood when the run began, and what becomes of them.

use std::sync::mpsc::{Receiver, TryRecvError};

use hexflow_dataflows::cameras::LocationChange;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::operators::Input;
use timely::dataflow::{InputHandle, Scope, StreamVec};

use crate::locations::refresh::Changes;
use crate::sources::kafka::gate::Gate;

/// The input of one worker.
pub struct Located {
    /// None once it has ended.
    input: Option<InputHandle<u64, CapacityContainerBuilder<Vec<LocationChange>>>>,
    /// More of it; without one nothing more can come.
    come: Option<Receiver<Changes>>,
}

impl Located {
    /// The input, to which `come` brings changes, and the stream of them.
    pub fn build<'scope>(
        scope: Scope<'scope, u64>,
        come: Option<Receiver<Changes>>,
    ) -> (Self, StreamVec<'scope, u64, LocationChange>) {
        let mut input = InputHandle::new();
        let stream = scope.input_from(&mut input);
        (Located { input: Some(input), come }, stream)
    }

    /// Puts changes in at the present time.
    pub fn put(&mut self, changes: Changes) {
        if let Some(input) = &mut self.input {
            changes.into_iter().for_each(|change| input.send(change));
        }
    }

    /// Puts in what has come, and lets pass the times that the source lets pass; ends with it.
    ///
    /// What has come lies in an epoch that has not passed: whoever sends it lets one pass afterwards.
    pub fn advance(&mut self, gate: &Gate) {
        let floor = gate.floor(); // before what has come is looked at: what was sent before it rose is there
        while let Some(come) = &self.come {
            match come.try_recv() {
                Ok(changes) => self.put(changes),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => self.come = None,
            }
        }
        match (floor, &self.come, &mut self.input) {
            (Some(floor), Some(_), Some(input)) => {
                if *input.time() < floor {
                    input.advance_to(floor);
                }
            }
            _ => self.input = None,
        }
    }
}
