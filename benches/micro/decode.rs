//! Decoding: a detection's payload into columns, beside `serde_json` into an owned struct and into a tree of values.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput};
use hexflow_operators::Batch;
use serde::Deserialize;

use crate::sample::{PAYLOAD, cells, decode, record};

/// What one would write first.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "read, and dropped")]
struct Plain {
    detection_id: String,
    frame_id: String,
    track_id: String,
    detector: String,
    class_name: String,
    confidence: f64,
    bbox: Bbox,
    location: Location,
    detected_at: String,
    updated_at: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read, and dropped")]
struct Bbox {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read, and dropped")]
struct Location {
    lat: f64,
    lon: f64,
}

/// Records that go into one batch of columns.
const BATCH: usize = 500;

pub(crate) fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode a detection");
    group.throughput(Throughput::Elements(BATCH as u64));
    let mut cells = cells();
    group.bench_function("checked, keyed, in columns", |bencher| {
        bencher.iter_batched_ref(
            Batch::default,
            |rows| (0..BATCH).for_each(|_| decode(&black_box(record(7)), &mut cells, rows)),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("serde_json, an owned struct, unchecked", |bencher| {
        bencher.iter(|| {
            (0..BATCH).map(|_| serde_json::from_str(black_box(PAYLOAD)).expect("sound")).collect::<Vec<Plain>>()
        });
    });
    group.bench_function("serde_json, a tree of values", |bencher| {
        let read = || serde_json::from_str(black_box(PAYLOAD)).expect("sound");
        bencher.iter(|| (0..BATCH).map(|_| read()).collect::<Vec<serde_json::Value>>());
    });
    group.finish();
}
