//! Events that are both counted and told: one function each, so that log and metrics cannot part.

use hexflow_dataflows::counts::Counts;
use tracing::{error, info, warn};

use super::labels::{Outcome, Server, State};
use super::metrics;
use crate::locations::set::Difference;

/// Records have been settled.
pub fn settled(counts: &Counts) {
    let Counts {
        upserts,
        duplicates,
        stale,
        late,
        ignored,
        malformed,
        dead_letters,
        skipped,
        unlocated,
        remembered,
        ..
    } = *counts;
    let outcomes = [
        ("upsert", upserts),
        ("duplicate", duplicates),
        ("stale", stale),
        ("late", late),
        ("ignored", ignored),
        ("malformed", malformed),
        ("dead_letter", dead_letters),
        ("skipped", skipped),
    ];
    for (outcome, count) in outcomes.into_iter().filter(|(_, count)| *count > 0) {
        metrics().outcomes.get_or_create(&Outcome { outcome }).inc_by(count);
    }
    metrics().unlocated.inc_by(unlocated);
    metrics().state.get_or_create(&State { state: "dedup_keys" }).inc_by(remembered);
}

/// A server did not answer; `is_told` if the log is to say so.
pub fn server_away(server: &str, what: &str, why: &str, seconds: u64, is_told: bool) {
    metrics().retries.get_or_create(&Server { server: server.to_owned() }).inc();
    if is_told {
        warn!(%server, %why, seconds, "cannot {what}: nothing is lost, trying again until it can");
    }
}

/// A server that had not answered does again.
pub fn server_back(server: &str, seconds: u64) {
    info!(%server, seconds, "answers again");
}

/// A partition stands still, which the log tells now and then.
pub fn stands_still(topic: &str, partition: u32, offset: u64, reason: &str, head: &str) {
    error!(%topic, partition, offset, %reason, ?head, "partition stands still");
}

/// A partition that stood still goes on.
pub fn goes_on(topic: &str, partition: u32, offset: u64) {
    info!(%topic, partition, offset, "partition goes on");
}

/// So many locations are known when the run begins.
pub fn locations_known(count: usize) {
    metrics().locations.set(i64::try_from(count).unwrap_or(i64::MAX));
}

/// The set of locations has become another, of `count`.
pub fn locations_changed(difference: Difference, count: usize) {
    locations_known(count);
    let Difference { added, removed, corrected } = difference;
    info!(added, removed, corrected, locations = count, "the locations of cameras have changed");
}

/// The set of locations could not be read, and stays as it was, of `count`; `is_told` if the log is to say so.
pub fn locations_unread(problem: &str, count: usize, is_told: bool) {
    metrics().location_failures.inc();
    if is_told {
        warn!(locations = count, "{problem}: the locations stay as they are, trying again until they can be read");
    }
}

/// The set of locations can be read again.
pub fn locations_back(source: &str) {
    info!(%source, "the locations of cameras can be read again");
}
