//! The alternative: the same collection, key to version, as a differential arrangement made from upserts.
//!
//! It keeps the last version that came, not the greatest, and forgets nothing; both would cost more. A batch is a time: the
//! differences are known once it is sealed.

use std::cell::Cell;
use std::rc::Rc;

use anyhow::Result;
use differential_dataflow::operators::arrange::upsert::arrange_from_upsert;
use differential_dataflow::trace::implementations::{ValBuilder, ValSpine};
use hexflow_operators::upsert::Candidate;
use serde_json::Value;
use timely::dataflow::operators::Input;
use timely::dataflow::{InputHandle, ProbeHandle};

use super::drive::measure;

/// `updated_at`, what orders versions within it, and what it holds.
type Value3 = (i64, u64, u64);

type Spine = ValSpine<u128, Value3, u64, isize>;
type Builder = ValBuilder<u128, Value3, u64, isize>;

/// Fills the arrangement with so many keys.
pub(super) fn run(keys: u64) -> Result<Value> {
    timely::execute_directly(move |worker| {
        let (mut input, probe, won) = (InputHandle::new(), ProbeHandle::new(), Rc::new(Cell::new(0u64)));
        let count = Rc::clone(&won);
        worker.dataflow::<u64, _, _>(|scope| {
            let stream = scope.input_from(&mut input);
            let arranged = arrange_from_upsert::<Builder, Spine, _, _>(stream, "Arrange: versions");
            let changes = arranged.as_collection(|_key, _version| ());
            changes.inspect(move |(_, _, diff)| count.set(count.get() + u64::from(*diff > 0))).probe_with(&probe);
        });
        measure(keys, |batch| {
            let (time, before) = (*input.time(), won.get());
            for Candidate { key, version, .. } in batch {
                input.send((*key, Some((version.updated_at, version.order, version.content)), time));
            }
            input.advance_to(time + 1);
            input.flush();
            while probe.less_than(input.time()) {
                worker.step();
            }
            won.get() - before
        })
    })
}
