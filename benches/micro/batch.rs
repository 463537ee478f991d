//! Batches: rows by their owners, as an exchange cuts them, and rows dropped, beside owned rows.

use std::hint::black_box;

use columnar::Columnar;
use criterion::{BatchSize, Criterion, Throughput};
use hexflow_dataflows::rows::Detection;
use hexflow_operators::Batch;
use timely::dataflow::channels::ContainerBytes;

use crate::sample::rows;

const ROWS: usize = 1_000;

pub(crate) fn benches(criterion: &mut Criterion) {
    let columns = rows(ROWS);
    let owned: Vec<Detection> = columns.iter().map(Columnar::into_owned).collect();
    let mut group = criterion.benchmark_group("a batch of detections");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("cut in two, columns", |bencher| {
        bencher.iter(|| {
            let mut halves: [Batch<Detection>; 2] = Default::default();
            columns.iter().for_each(|row| halves[(*row.meta.offset & 1) as usize].push(row));
            halves
        });
    });
    group.bench_function("cut in two, owned rows", |bencher| {
        let cut = |rows: &mut Vec<Detection>| {
            let mut halves: [Vec<Detection>; 2] = Default::default();
            rows.drain(..).for_each(|row| halves[(row.meta.offset & 1) as usize].push(row));
            halves
        };
        bencher.iter_batched_ref(|| owned.clone(), cut, BatchSize::SmallInput);
    });
    group.bench_function("one in ten dropped, columns", |bencher| {
        let drop = |batch: &mut Batch<Detection>| batch.retain(|_, index| index % 10 > 0);
        bencher.iter_batched_ref(|| columns.clone(), drop, BatchSize::SmallInput);
    });
    group.bench_function("one in ten dropped, owned rows", |bencher| {
        let drop = |rows: &mut Vec<Detection>| rows.retain(|row| row.meta.offset % 10 > 0);
        bencher.iter_batched_ref(|| owned.clone(), drop, BatchSize::SmallInput);
    });
    group.bench_function("to bytes, columns", |bencher| {
        bencher.iter(|| {
            let mut bytes = Vec::with_capacity(columns.length_in_bytes());
            black_box(&columns).into_bytes(&mut bytes);
            bytes
        });
    });
    group.finish();
}
