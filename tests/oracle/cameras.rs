//! What must come of camera detections, the plainest way: the first of each, named and counted.

use std::collections::BTreeMap;

use serde_json::json;

use super::arrivals::in_order_of_arrival;
use crate::support::record::{CAMERAS, Record};
use crate::support::windows::Rows;

/// The tables, and how many detections repeated others.
#[derive(Debug, Default)]
pub(crate) struct Cameras {
    pub(crate) detections: Rows,
    pub(crate) windows: Rows,
    pub(crate) repeats: u64,
}

/// What comes of records, with windows of `window` ms and the names of locations.
pub(crate) fn cameras(records: &[Record], window: i64, names: &BTreeMap<i64, &str>) -> Cameras {
    let mut tables = Cameras::default();
    let mut counts: BTreeMap<(i64, String, i64), u64> = BTreeMap::new();
    for record in in_order_of_arrival(records, CAMERAS) {
        let body = record.body();
        let number = |name: &str| body[name].as_i64().expect("a number");
        let key = json!([number("detection_oid")]).to_string();
        if tables.detections.contains_key(&key) {
            tables.repeats += 1;
            continue;
        }
        let (location, at) = (number("geographical_location_oid"), number("timestamp_detected"));
        let item = body["item_name"].as_str().expect("a text").to_owned();
        *counts.entry((location, item.clone(), at - at.rem_euclid(window))).or_default() += 1;
        let row = vec![
            json!(location),
            json!(names.get(&location)),
            json!(number("video_camera_oid")),
            json!(item),
            json!(at),
        ];
        tables.detections.insert(key, row);
    }
    let row = |((location, item, start), count)| {
        (json!([location, item, start]).to_string(), vec![json!(window), json!(count)])
    };
    tables.windows = counts.into_iter().map(row).collect();
    tables
}
