//! Records that came too late for their windows, as they are told of: their places, how late, and what they said.

use columnar::{Columnar, Ref};
use hexflow_operators::Batch;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::dataflow::{Stream, StreamVec};
use timely::progress::Timestamp;

use crate::readings::{CameraDetection, Movement};
use crate::rows::text;
use crate::time::Instant;

/// A record that changed nothing since it came too late.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LateRecord {
    /// The partition that it is in: see [`crate::rows::stream_of`].
    pub stream: u32,
    /// Its offset there.
    pub offset: u64,
    /// When it came to its topic, ms since the epoch.
    pub ts: i64,
    /// When what it tells of was, ms since the epoch.
    pub event_ms: i64,
    /// The fields of its message, a JSON object.
    pub message: String,
}

/// A row that can come too late.
pub trait LateRow: Columnar {
    /// What is told of it.
    fn told(row: Ref<'_, Self>) -> LateRecord;
}

impl LateRow for Movement {
    fn told(row: Ref<'_, Self>) -> LateRecord {
        let message = json!({
            "traveler_id": text(row.traveler_id), "traveler_type": text(row.traveler_type), "sensor_id": row.sensor_id,
            "position": [row.x, row.y], "timestamp": Instant::from_ms(*row.at_ms).to_string(),
        });
        let (stream, offset, ts) = (*row.arrival.stream, *row.arrival.offset, *row.arrival.ts);
        LateRecord { stream, offset, ts, event_ms: *row.at_ms, message: Value::to_string(&message) }
    }
}

impl LateRow for CameraDetection {
    fn told(row: Ref<'_, Self>) -> LateRecord {
        let message = json!({
            "geographical_location_oid": row.geographical_location_oid, "video_camera_oid": row.video_camera_oid,
            "detection_oid": row.detection_oid, "item_name": text(row.item_name), "timestamp_detected": row.detected_ms,
        });
        let (stream, offset, ts) = (*row.arrival.stream, *row.arrival.offset, *row.arrival.ts);
        LateRecord { stream, offset, ts, event_ms: *row.detected_ms, message: Value::to_string(&message) }
    }
}

/// Extension trait for streams of rows that came too late.
pub trait TellLate<'scope, T: Timestamp> {
    /// What is to be told of each.
    fn tell_late(self) -> StreamVec<'scope, T, LateRecord>;
}

impl<'scope, T: Timestamp, R: LateRow> TellLate<'scope, T> for Stream<'scope, T, Batch<R>> {
    fn tell_late(self) -> StreamVec<'scope, T, LateRecord> {
        self.unary(Pipeline, "TellLate", |_capability, _info| {
            |input, output| {
                input.for_each(|time, batch| output.session(&time).give_iterator(batch.iter().map(R::told)));
            }
        })
    }
}
