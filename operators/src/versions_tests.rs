//! The versions by key against a plain map that never forgets, and what they hold in memory as they grow.

use std::collections::HashMap;

use crate::hash::key_of;
use crate::upsert::Candidate;
use crate::versions::{Verdict, Version, Versions};

/// Splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// The n-th key: hashes; in one shard at the first or the last place, so that they wrap around the end, around both, or
/// anywhere in it.
fn key(kind: u64, n: u64) -> u128 {
    match kind {
        0 => key_of(&n.to_le_bytes()),
        1 => u128::from(n) << 64,
        2 => u128::from(n) << 64 | u128::from(u64::MAX),
        3 => u128::from(n),
        4 => u128::from(n) << 64 | u128::from(n.wrapping_sub(700).wrapping_mul(1 << 52)),
        _ => key_of(&n.to_le_bytes()) & u128::from(u64::MAX),
    }
}

fn candidate(key: u128, random: &mut Random, event_ms: i64) -> Candidate {
    let updated_at = [0, 1, i64::from(i32::MAX), -377_705_116_800_000, 253_402_300_799_999][random.below(5) as usize];
    let version = Version { updated_at, order: random.below(4) << random.below(44), content: random.below(3) };
    Candidate { key, version, event_ms }
}

/// Batches of random rows, so that tables grow and are swept. A key within its window must be judged as the map judges it;
/// one past it may have been forgotten, and then is new to both.
#[test]
fn judges_as_a_map_does() {
    for kind in 0..6 {
        let (window, mut random, mut now) = (10_000, Random(kind), 1_700_000_000_000i64);
        let mut versions = Versions::new(window);
        let mut model = HashMap::<u128, (Version, i64)>::new();
        let keys = if kind == 0 { 60_000 } else { 1_500 };
        for round in 0..600 {
            let from = if round % 100 < 50 { 0 } else { round * 10 };
            let late = [0, 3_000, 25_000][random.below(3) as usize];
            let batch: Vec<_> = (0..random.below(300))
                .map(|_| candidate(key(kind, from + random.below(keys)), &mut random, now - late))
                .collect();
            let mut verdicts = Vec::new();
            versions.judge_all(&batch, |verdict| verdicts.push(verdict));
            assert_eq!(verdicts.len(), batch.len());
            for (row, verdict) in batch.iter().zip(verdicts) {
                let expected = model.get(&row.key).map_or(Verdict::Upsert, |(standing, _)| row.version.judge(standing));
                let within = model.get(&row.key).is_some_and(|(_, seen)| now - seen <= window);
                assert!(verdict == expected || !within && verdict == Verdict::Upsert, "kind {kind} round {round}");
                let (standing, seen) = model.entry(row.key).or_insert((row.version, i64::MIN));
                if verdict == Verdict::Upsert {
                    *standing = row.version;
                }
                *seen = row.event_ms.max(if verdict == Verdict::Upsert && !within { i64::MIN } else { *seen });
            }
            let jump = [0, 40, 700, 400_000][if round % 97 == 96 { 3 } else { random.below(3) as usize }];
            versions.advance(now);
            now += jump;
        }
        let within = model.values().filter(|(_, seen)| now - seen <= window).count();
        assert!(versions.len() >= within, "kind {kind}: what is within its window stays");
    }
}

/// At every step of the way, not only where sizes happen to be lucky.
#[test]
fn a_key_takes_at_most_48_bytes() {
    let (mut versions, mut random) = (Versions::new(1_000), Random(1));
    let mut checked = 0;
    while versions.len() < 1_000_000 {
        let key = u128::from(random.next()) << 64 | u128::from(random.next());
        versions.judge(key, Version { updated_at: 0, order: 0, content: 0 }, 0);
        if versions.len() >= 200_000 && versions.len() % 8_000 == 0 {
            assert!(versions.bytes() <= 48 * versions.len(), "{} at {}", versions.bytes(), versions.len());
            checked += 1;
        }
    }
    assert!(checked >= 100);
}

/// Times that no record should carry are kept as well as they can be, and judged all the same.
#[test]
fn no_value_is_too_odd() {
    let odd = [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX];
    for window in [i64::MIN, 0, 1, i64::MAX] {
        let mut versions = Versions::new(window);
        for (n, &updated_at) in odd.iter().cycle().take(300).enumerate() {
            let version = Version { updated_at, order: u64::MAX, content: u64::MAX };
            let event_ms = odd[n * 7 / 6 % odd.len()];
            versions.judge(key(0, n as u64 % 5), version, event_ms);
            assert_ne!(versions.judge(key(0, n as u64 % 5), version, event_ms), Verdict::Upsert);
            versions.advance(event_ms);
        }
    }
}
