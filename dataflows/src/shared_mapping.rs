//! A test's story: two pipelines of one process read the mapping that was arranged once. The main job makes it; a second
//! pipeline, here one that only looks frames up, finds the same axion ids in it, and no second arrangement is built.

use std::cell::RefCell;
use std::rc::Rc;

use differential_dataflow::input::InputSession;
use hexflow_operators::lookup::Lookup;
use hexflow_operators::testing::InspectRows;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::ToStream;
use timely::dataflow::operators::generic::Operator;
use timely::dataflow::operators::generic::operator::empty;
use timely::logging::{TimelyEvent, TimelyEventBuilder};

use crate::citylens::{self, Inputs};
use crate::decode::{Decode, Decoded, OnMalformed, Settings};
use crate::mapping;
use crate::messages::topic::{Topic, kind};
use crate::pipelines::Pipelines;
use crate::record::{Offer, Payload, Record, Records};
use crate::rows::{Entity, Frame, axion_track_id};
use crate::skips::Skips;

/// Records as a test has them: topic, offset and payload.
#[derive(Clone, Default)]
struct Told(Vec<(Topic, u64, &'static str)>);

impl timely::Accountable for Told {
    fn record_count(&self) -> i64 {
        i64::try_from(self.0.len()).expect("a few")
    }
}

impl Records for Told {
    fn again(&self) -> bool {
        false
    }

    fn for_each(&self, mut offer: impl FnMut(&Record<'_>) -> Offer) {
        for &(topic, offset, payload) in &self.0 {
            let kind = if topic == Topic::CitylensTracks { kind::CITYLENS_TRACK } else { kind::CITYLENS_FRAME };
            let headers = [("env", "prod"), ("request-id", "r"), ("message-type", kind)];
            let headers = headers.map(|(name, value)| (name, Some(value)));
            let (payload, key) = (Some(Payload::Text(payload)), None);
            let offer =
                offer(&Record { topic, partition: 0, offset, ts: 0, headers: &headers, key, payload, original: None });
            assert_eq!(offer, Offer::Taken);
        }
    }
}

const TRACK: &str =
    r#"{"trackId":"t","status":"started","startedAt":"2022-01-03T00:00:00Z","updatedAt":"2022-01-03T00:00:00Z"}"#;
const FRAME: &str = r#"{"frameId":"f","trackId":"t","sequence":0,"capturedAt":"2022-01-03T00:00:00Z","location":{"lat":1,"lon":2},"updatedAt":"2022-01-03T00:00:00Z"}"#;

#[test]
fn two_pipelines_read_one_arrangement() {
    let seen = timely::execute_directly(|worker| {
        let (seen, names) = (Rc::new(RefCell::new(Vec::new())), Rc::new(RefCell::new(Vec::new())));
        let (kept, named) = (Rc::clone(&seen), Rc::clone(&names));
        let mut log = worker.log_register().expect("logging is on");
        log.insert::<TimelyEventBuilder, _>("timely", move |_time, events| {
            for (_, event) in events.iter().flat_map(|events| events.iter()) {
                if let TimelyEvent::Operates(operator) = event {
                    named.borrow_mut().push(operator.name.clone());
                }
            }
        });
        drop(log);
        worker.dataflow::<u64, _, _>(|scope| {
            let told = Told(vec![(Topic::CitylensFrames, 0, FRAME), (Topic::CitylensTracks, 0, TRACK)]);
            let told = Some(told).to_stream(scope).container::<Vec<_>>();
            let records = told.unary::<CapacityContainerBuilder<Told>, _, _, _>(Pipeline, "Records", |_, _| {
                |input, output| input.for_each(|time, told| output.session(&time).give_container(&mut told[0]))
            });
            let env = "prod".to_owned();
            let pipelines = Pipelines::all();
            let settings = Settings { env, on_malformed: OnMalformed::Stall, skips: Skips::default(), pipelines };
            let stored = InputSession::new().to_collection(scope);
            let Decoded { tracks, frames, detections, skipped, .. } = records.decode(&settings);
            let inputs = Inputs { tracks, frames: frames.clone(), detections, skipped };
            let first = citylens::build(inputs, stored, mapping::made, 1_000);
            let none = empty(scope);
            let second = frames.lookup(first.mapping, none, Frame::track_key, Frame::position, Frame::set_axion);
            second.hits.inspect_rows(move |frame| kept.borrow_mut().push(frame.meta.axion));
        });
        while worker.has_dataflows() {
            worker.step();
        }
        (seen.take(), names.take())
    });
    let (axion, operators) = seen;
    assert_eq!(axion, [axion_track_id("t").as_u128()]);
    assert_eq!(operators.iter().filter(|name| *name == "Arrange: Mapping").count(), 1, "{operators:?}");
    assert_eq!(operators.iter().filter(|name| *name == "Lookup").count(), 4);
}
