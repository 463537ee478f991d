//! Keys and cells: the hash that names a row, beside the standard library's; an H3 cell, beside `h3o` as it is.

use std::hash::{DefaultHasher, Hasher};
use std::hint::black_box;

use criterion::Criterion;
use h3o::{LatLng, Resolution};
use hexflow_operators::cell::cell_of;
use hexflow_operators::cells::Cells;
use hexflow_operators::hash::key_of;

pub(crate) fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("key of an id");
    let id = b"cd-d5159b73432a2795";
    group.bench_function("key_of, 128 bits", |bencher| bencher.iter(|| key_of(black_box(id))));
    group.bench_function("std SipHash, 64 bits", |bencher| {
        bencher.iter(|| {
            let mut hasher = DefaultHasher::new();
            hasher.write(black_box(id));
            hasher.finish()
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("cell of a point");
    let point = (38.734_971_8, -9.110_307_7);
    group.bench_function("cell_of, checked", |bencher| {
        bencher.iter(|| cell_of(black_box(point).0, black_box(point).1, 2));
    });
    let mut cells = Cells::new(2).expect("a resolution");
    group.bench_function("cells, remembered", |bencher| {
        bencher.iter(|| cells.of(black_box(point).0, black_box(point).1));
    });
    group.bench_function("h3o", |bencher| {
        bencher.iter(|| {
            let point = LatLng::new(black_box(point).0, black_box(point).1).expect("a point");
            u64::from(point.to_cell(Resolution::Two))
        });
    });
    group.finish();
}
