//! A detection as its topic has it, and rows made of it.

use hexflow_dataflows::headers::Headers;
use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::parse;
use hexflow_dataflows::record::{Payload, Record};
use hexflow_dataflows::rows::Detection;
use hexflow_operators::Batch;
use hexflow_operators::cells::Cells;

/// A payload as the generator writes it.
pub(crate) const PAYLOAD: &str = concat!(
    r#"{"detectionId":"cd-d5159b73432a2795","frameId":"cf-e68e6fc01df08360","trackId":"ct-5775264a9a7e1b09","#,
    r#""detector":"signs-v3","className":"speed_limit_sign","confidence":0.7731,"#,
    r#""bbox":{"x":1077.6,"y":533.7,"width":6.6,"height":10.7},"location":{"lat":38.7349718,"lon":-9.1103077},"#,
    r#""detectedAt":"2026-01-01T00:00:00.958Z","updatedAt":"2026-01-01T00:00:00.958Z"}"#
);

/// The headers that come with it.
const HEADERS: [(&str, Option<&str>); 4] = [
    ("message-type", Some("citylens-detection")),
    ("request-id", Some("30233fd95f1223a6")),
    ("org-id", Some("org-parking")),
    ("env", Some("prod")),
];

/// The record.
pub(crate) fn record(offset: u64) -> Record<'static> {
    let (topic, key, payload) = (Topic::CitylensDetections, Some("ct-5775264a9a7e1b09"), Some(Payload::Text(PAYLOAD)));
    Record { topic, partition: 13, offset, ts: 1_767_225_600_958, headers: &HEADERS, key, payload, original: None }
}

/// What remembers cells.
pub(crate) fn cells() -> Cells {
    Cells::new(2).expect("a resolution")
}

/// Appends the row of a record.
pub(crate) fn decode(record: &Record<'_>, cells: &mut Cells, rows: &mut Batch<Detection>) {
    parse::detection(record, &Headers::of(record), cells, rows).expect("a sound record");
}

/// So many rows of it.
pub(crate) fn rows(count: usize) -> Batch<Detection> {
    let (mut batch, mut cells) = (Batch::default(), cells());
    (0..count as u64).for_each(|offset| decode(&record(offset), &mut cells, &mut batch));
    batch
}
