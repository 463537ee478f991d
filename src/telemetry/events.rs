//! Events that are both counted and told: one function each, so that log and metrics cannot part.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hexflow_dataflows::counts::Counts;
use hexflow_dataflows::late::LateRecord;
use hexflow_dataflows::pipelines::Pipeline;
use hexflow_dataflows::rows::partition_of_stream;
use tracing::{debug, error, info, warn};

use super::labels::{self, Outcome, Server, State};
use super::metrics::{Metrics, metrics};
use crate::locations::set::Difference;

/// How often the log tells of late records of one pipeline.
const TELL_LATE_EVERY: Duration = Duration::from_secs(60);

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

/// Records came too late for their windows: the log tells of a pipeline's once a minute, with the last of them.
pub fn late(records: &[LateRecord]) {
    static TOLD: Mutex<BTreeMap<Pipeline, (Instant, u64)>> = Mutex::new(BTreeMap::new());
    for record in records {
        let (topic, partition) = partition_of_stream(record.stream);
        let Some(pipeline) = Pipeline::of(topic) else { continue };
        metrics().late.get_or_create(&labels::Pipeline { pipeline: pipeline.name() }).inc();
        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        let is_told = told.get(&pipeline).is_none_or(|(when, _)| when.elapsed() >= TELL_LATE_EVERY);
        let (when, count) = told.entry(pipeline).or_insert_with(|| (Instant::now(), 0));
        *count += 1;
        if is_told {
            let (topic, offset, behind_ms) = (topic.name(), record.offset, record.ts.saturating_sub(record.event_ms));
            warn!(topic, partition, offset, behind_ms, records = *count, "records came too late for their windows");
            (*when, *count) = (Instant::now(), 0);
        }
    }
}

/// Messages were archived: so many objects of so many messages and packed bytes.
pub fn archived(objects: u64, records: u64, bytes: u64) {
    metrics().archive_objects.inc_by(objects);
    metrics().archived_records.inc_by(records);
    metrics().archived_bytes.inc_by(bytes);
    debug!(objects, records, bytes, "archived");
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

/// Alerts are posted to a webhook: its counts begin at nothing.
pub fn webhook_known(webhook: &str) {
    let server = Server { server: webhook.to_owned() };
    let Metrics { alert_posts, alert_post_failures, alerts_left_out, .. } = metrics();
    for counts in [alert_posts, alert_post_failures, alerts_left_out] {
        drop(counts.get_or_create(&server));
    }
}

/// A webhook has taken an alert, or the attempt has failed.
pub fn alert_posted(webhook: &str, is_taken: bool) {
    let counts = if is_taken { &metrics().alert_posts } else { &metrics().alert_post_failures };
    counts.get_or_create(&Server { server: webhook.to_owned() }).inc();
}

/// An alert is never posted, since more than `most` wait; `is_told` if the log is to say so.
pub fn alert_left_out(webhook: &str, rule: &str, key: &str, most: usize, is_told: bool) {
    metrics().alerts_left_out.get_or_create(&Server { server: webhook.to_owned() }).inc();
    if is_told {
        warn!(%webhook, %rule, %key, "more than {most} alerts wait for it: the oldest are left out");
    }
}

/// So many detections have gone from the store that a run would have to know.
pub fn detections_gone(count: i64) {
    warn!(count, "detections that may yet come again have gone from camera_detections: what repeats them counts again");
}

/// Files of the history that its store does not know were taken away.
pub fn history_set_back(files: usize) {
    info!(files, "files of the history that a stop has left were taken away: their rows are written again");
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
