//! Rows as JSON: what ndjson stores write, beside a tree of values made of the same row.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use hexflow::tables::DetectionRow;

use crate::sample::rows;

const ROWS: usize = 500;

pub(crate) fn benches(criterion: &mut Criterion) {
    let batch = rows(ROWS);
    let mut group = criterion.benchmark_group("a detection's row as JSON");
    group.throughput(Throughput::Elements(ROWS as u64));
    let mut out = Vec::new();
    group.bench_function("from columns", |bencher| {
        bencher.iter(|| {
            out.clear();
            for row in black_box(&batch).iter() {
                serde_json::to_writer(&mut out, &DetectionRow::of(row)).expect("memory takes all");
            }
        });
    });
    group.bench_function("through a tree of values", |bencher| {
        bencher.iter(|| {
            out.clear();
            for row in black_box(&batch).iter() {
                let tree = serde_json::to_value(DetectionRow::of(row)).expect("plain fields");
                serde_json::to_writer(&mut out, &tree).expect("memory takes all");
            }
        });
    });
    group.finish();
}
