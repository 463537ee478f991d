//! Deduplication: the verdict on a version, beside the same by the standard library's map. At a million keys, drawn so that
//! memory and not the cache answers.

use std::collections::HashMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput};
use hexflow_operators::hash::key_of;
use hexflow_operators::versions::{Verdict, Version, Versions, order_of};

const KEYS: u64 = 1_000_000;
const BATCH: u64 = 500;
const WINDOW_MS: i64 = 24 * 3_600_000;

fn key(number: u64) -> u128 {
    key_of(&number.to_le_bytes())
}

fn version(number: u64) -> Version {
    Version { updated_at: 0, order: order_of(0, number), content: number }
}

pub(crate) fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("verdict on a repeat, of a million keys");
    group.throughput(Throughput::Elements(BATCH));
    let mut versions = Versions::new(WINDOW_MS);
    let mut map = HashMap::new();
    for number in 0..KEYS {
        versions.judge(key(number), version(number), 0);
        map.insert(key(number), version(number));
    }
    // Multiplied by an odd number, counting comes by every key, far from the one before.
    let draw = |at: &mut u64| {
        *at += 1;
        at.wrapping_mul(0x9e37_79b9_7f4a_7c15) % KEYS
    };
    let mut at = 0;
    group.bench_function("versions", |bencher| {
        bencher.iter(|| {
            for _ in 0..BATCH {
                let number = draw(&mut at);
                black_box(versions.judge(key(number), version(number), 0));
            }
        });
    });
    group.bench_function("std HashMap", |bencher| {
        bencher.iter(|| {
            for _ in 0..BATCH {
                let number = draw(&mut at);
                let standing = map.entry(key(number)).or_insert_with(|| version(number));
                if black_box(version(number).judge(standing)) == Verdict::Upsert {
                    *standing = version(number);
                }
            }
        });
    });
    group.finish();
}
