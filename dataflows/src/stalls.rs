//! Says of rows that stall for want of a mapping where they stand and what they wait for.

use hexflow_operators::Batch;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::dataflow::{Stream, StreamVec};
use timely::progress::Timestamp;

use crate::decode::Stall;
use crate::rows::{Entity, text};

/// One stall for each row of `missed`.
pub fn missing_mapping<'scope, T: Timestamp, R: Entity>(
    missed: Stream<'scope, T, Batch<R>>,
) -> StreamVec<'scope, T, Stall> {
    missed.unary(Pipeline, "MissingMapping", |_capability, _info| {
        |input, output| {
            input.for_each(|time, batch| {
                output.session(&time).give_iterator(batch.iter().map(|row| {
                    let meta = R::meta(row);
                    let reason = format!("no mapping for track {:?}: no track event made one", text(R::track_id(row)));
                    Stall { stream: *meta.stream, offset: *meta.offset, reason, head: shown(text(meta.head)) }
                }));
            });
        }
    })
}

/// The Citylens track of each row of `missed`.
pub fn missing_tracks<'scope, T: Timestamp, R: Entity>(
    missed: Stream<'scope, T, Batch<R>>,
) -> StreamVec<'scope, T, String> {
    missed.unary(Pipeline, "MissingTracks", |_capability, _info| {
        |input, output| {
            input.for_each(|time, batch| {
                output.session(&time).give_iterator(batch.iter().map(|row| text(R::track_id(row)).to_owned()));
            });
        }
    })
}

/// A head without the escapes that it may still have: no JSON but the inside of a JSON string begins so.
fn shown(head: &str) -> String {
    if head.starts_with("{\\\"") { head.trim_end_matches('\\').replace("\\\"", "\"") } else { head.to_owned() }
}
