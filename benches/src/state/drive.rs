//! What the state is driven with: batches of candidates, as decoded records would be.
//!
//! ```text
//!   event time   |------------- 0.9 of a window --------------|-- 0.04 --|-- 0.04 --|
//!   candidates     each key once: new                           old keys   half new
//! ```
//! Time passes so that the keys just fill the window: no key is forgotten, but looking for keys to forget is paid for, at
//! the pace of a steady load.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hexflow_operators::upsert::Candidate;
use hexflow_operators::versions::{Version, order_of};
use serde_json::{Value, json};

/// Candidates in a batch.
const BATCH: u64 = 500;

/// The window, ms of event time.
pub(super) const WINDOW_MS: i64 = 24 * 3_600_000;

/// Event time begins here, ms since the epoch: 2026.
const START_MS: u64 = 1_767_225_600_000;

/// Whether candidate `n` of a phase is of a new key.
type IsNew = fn(u64) -> bool;

/// Drives a state through all phases. `apply` takes a batch and says how many candidates won.
pub(super) fn measure(keys: u64, mut apply: impl FnMut(&[Candidate]) -> u64) -> Result<Value> {
    let mut stream = Stream { next_key: 0, sent: 0, random: 7, ms_per_record: WINDOW_MS as f64 * 0.9 / keys as f64 };
    let before = resident_bytes()?;
    let (new, won) = stream.phase(keys, |_| true, &mut apply);
    ensure!(won == keys, "{won} of {keys} new keys were new");
    let grown = resident_bytes()?.saturating_sub(before);
    let some = keys / 25;
    let (repeat, won) = stream.phase(some, |_| false, &mut apply);
    ensure!(won == 0, "{won} of {some} repeats were new");
    let (mix, won) = stream.phase(some, |n| n.is_multiple_of(2), &mut apply);
    ensure!(won == some.div_ceil(2), "{won} of {some} were new, and not half");
    Ok(json!({
        "new_ns": new.ns_per_record(),
        "repeat_ns": repeat.ns_per_record(),
        "mix_ns": mix.ns_per_record(),
        "longest_batch_ms": new.longest.max(mix.longest).as_secs_f64() * 1e3,
        "bytes_per_key": grown as f64 / keys as f64,
    }))
}

struct Stream {
    next_key: u64,
    sent: u64,
    random: u64,
    ms_per_record: f64,
}

/// Time that the state took.
#[derive(Default)]
struct Taken {
    all: Duration,
    longest: Duration,
    records: u64,
}

impl Taken {
    fn ns_per_record(&self) -> f64 {
        self.all.as_nanos() as f64 / self.records.max(1) as f64
    }
}

impl Stream {
    /// Sends `count` candidates; making them is not timed.
    fn phase(&mut self, count: u64, is_new: IsNew, apply: &mut impl FnMut(&[Candidate]) -> u64) -> (Taken, u64) {
        let (mut taken, mut won, mut batch) = (Taken::default(), 0, Vec::new());
        while taken.records < count {
            let size = BATCH.min(count - taken.records);
            batch.clear();
            batch.extend((taken.records..taken.records + size).map(|n| self.candidate(is_new(n))));
            let began = Instant::now();
            won += apply(&batch);
            let took = began.elapsed();
            taken.all += took;
            taken.longest = taken.longest.max(took);
            taken.records += size;
        }
        (taken, won)
    }

    /// A new key's first version, or that of any key that was sent before.
    fn candidate(&mut self, is_new: bool) -> Candidate {
        let number = if is_new { self.next_key } else { self.draw() % self.next_key };
        self.next_key += u64::from(is_new);
        self.sent += 1;
        #[expect(clippy::cast_possible_truncation, reason = "ms of a day")]
        let event_ms = START_MS as i64 + (self.sent as f64 * self.ms_per_record) as i64;
        let version = Version { updated_at: START_MS as i64, order: order_of(0, number), content: number };
        Candidate { key: key(number), version, event_ms }
    }

    /// xorshift64: the same for every run.
    fn draw(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

/// The key of a number, spread as the hash of an id is.
fn key(number: u64) -> u128 {
    let mix = |mut word: u64| {
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    };
    let high = mix(number.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15));
    u128::from(high) << 64 | u128::from(mix(high ^ number))
}

/// Resident memory of this process.
fn resident_bytes() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
