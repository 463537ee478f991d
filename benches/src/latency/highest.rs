//! The highest rate at which the 99th percentile stays under a bound: by doubling, then by halving the gap.
//!
//! With the default batching the search begins where a batch is full well before it would have lingered: below that the
//! linger is the latency, however fast the system is.

use anyhow::Result;

use super::dataflow::{self, Latencies, Load};

/// Under this the 99th percentile must stay, us.
pub(super) const BOUND_US: u64 = 100_000;

/// Halvings after the doublings: to a sixteenth of the rate.
const HALVINGS: u32 = 4;

/// The shortest run, s: a rate that records in memory do not last so long for is not tried.
const SHORTEST_SECONDS: u64 = 3;

/// The highest rate held; 0 if none was. `tell` hears of every run.
pub(super) fn search(load: &Load, mut tell: impl FnMut(&Load, &Latencies) -> Result<()>) -> Result<u64> {
    let mut held = |rate: u64| -> Result<bool> {
        let load = load.at(rate);
        let latencies = dataflow::run(&load)?;
        tell(&load, &latencies)?;
        Ok(latencies.value_at_percentile(99.0) < BOUND_US)
    };
    let most = load.memory.len() as u64 / SHORTEST_SECONDS;
    let (mut low, mut high) = (first(load), first(load) * 2);
    let mut known = 0;
    while high < most && held(high)? {
        (known, low, high) = (high, high, high * 2);
    }
    for _ in 0..HALVINGS {
        let middle = low.midpoint(high.min(most));
        if held(middle)? { (known, low) = (middle, middle) } else { high = middle }
    }
    Ok(known)
}

/// The rate at which a batch is full just when it would have lingered long enough.
fn first(load: &Load) -> u64 {
    let lingers_per_second = 1_000 / load.batching.linger.as_millis().clamp(1, 1_000) as u64;
    load.batching.batch_size as u64 * lingers_per_second * load.workers as u64
}
