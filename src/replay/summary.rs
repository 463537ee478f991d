//! What a replay has done, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Context, Result};
use hexflow_dataflows::counts::Counts;
use hexflow_dataflows::decode::Stall;
use hexflow_dataflows::pipelines::Pipelines;
use hexflow_dataflows::rows::partition_of_stream;
use serde::Serialize;

use crate::progress::Progress;
use crate::totals::Totals;

/// Of a run, or of a pipeline in it.
#[derive(Clone, Debug, Serialize)]
struct Numbers {
    records: u64,
    upserts: u64,
    duplicates: u64,
    stale: u64,
    late: u64,
    unlocated: i64,
    malformed: u64,
    stalled: u64,
    ignored: u64,
    dead_letters: u64,
    skipped: u64,
    seconds: f64,
    records_per_second: f64,
}

impl Numbers {
    fn new(counts: Counts, elapsed: Duration) -> Self {
        let seconds = elapsed.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let records_per_second = counts.records as f64 / seconds.max(1e-9);
        let stalled = counts.stalled();
        let Counts {
            records,
            upserts,
            duplicates,
            stale,
            late,
            unlocated,
            malformed,
            ignored,
            dead_letters,
            skipped,
            ..
        } = counts;
        Numbers {
            records,
            upserts,
            duplicates,
            stale,
            late,
            unlocated,
            malformed,
            stalled,
            ignored,
            dead_letters,
            skipped,
            seconds,
            records_per_second,
        }
    }
}

/// A partition that stands still.
#[derive(Clone, Debug, Serialize)]
struct Standing {
    topic: &'static str,
    partition: u32,
    offset: u64,
    reason: String,
    head: String,
}

/// A run's summary.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    #[serde(flatten)]
    all: Numbers,
    /// Records of topics that no pipeline reads.
    passed_over: u64,
    pipelines: BTreeMap<&'static str, Numbers>,
    stalls: Vec<Standing>,
}

impl Summary {
    /// The summary of a run of some pipelines that took `elapsed`.
    pub fn new(
        totals: &Totals,
        pipelines: Pipelines,
        stalls: &[Stall],
        progress: &Progress,
        elapsed: Duration,
    ) -> Self {
        let (stalls, passed_over) = (stalls.iter().map(standing).collect(), progress.passed_over.load(Relaxed));
        let pipelines = pipelines.iter().map(|pipeline| (pipeline.name(), Numbers::new(totals.of(pipeline), elapsed)));
        Summary { all: Numbers::new(totals.all(), elapsed), passed_over, pipelines: pipelines.collect(), stalls }
    }

    /// One JSON object and a newline.
    pub fn json(&self) -> Result<String> {
        Ok(serde_json::to_string(self).context("cannot write the summary")? + "\n")
    }

    /// A table for people.
    pub fn table(&self) -> String {
        let mut table = format!(
            "{:<10} {:>11} {:>11} {:>11} {:>9} {:>9} {:>9} {:>9} {:>9} {:>11}\n",
            "pipeline",
            "records",
            "upserts",
            "duplicates",
            "stale",
            "malformed",
            "stalled",
            "ignored",
            "seconds",
            "records/s"
        );
        let all = [("all", &self.all)].into_iter().filter(|_| self.pipelines.len() > 1);
        for (name, n) in self.pipelines.iter().map(|(name, numbers)| (*name, numbers)).chain(all) {
            let _ = writeln!(
                table,
                "{name:<10} {:>11} {:>11} {:>11} {:>9} {:>9} {:>9} {:>9} {:>9.2} {:>11.0}",
                n.records,
                n.upserts,
                n.duplicates,
                n.stale,
                n.malformed,
                n.stalled,
                n.ignored,
                n.seconds,
                n.records_per_second
            );
        }
        if self.all.late > 0 {
            let _ = writeln!(table, "{} records were too late for their windows, and changed nothing", self.all.late);
        }
        if self.all.unlocated > 0 {
            let _ = writeln!(table, "{} detections are at locations that are not known", self.all.unlocated);
        }
        if self.all.skipped > 0 {
            let _ = writeln!(table, "{} records were skipped, as an operator has said", self.all.skipped);
        }
        if self.passed_over > 0 {
            let _ = writeln!(table, "{} records of topics that no pipeline reads were passed over", self.passed_over);
        }
        table
    }

    /// Where partitions stand still; empty if none does.
    pub fn stalls_table(&self) -> String {
        if self.stalls.is_empty() {
            return String::new();
        }
        let mut table =
            format!("{} partitions stand still; what is behind these records was not applied:\n", self.stalls.len());
        let width = self.stalls.iter().map(|stall| stall.topic.len()).max().unwrap_or(0);
        let _ = writeln!(table, "{:<width$} {:>9} {:>11}  reason; first bytes", "topic", "partition", "offset");
        for Standing { topic, partition, offset, reason, head } in &self.stalls {
            let _ = writeln!(table, "{topic:<width$} {partition:>9} {offset:>11}  {reason}; {}", head.escape_debug());
        }
        table
    }
}

fn standing(stall: &Stall) -> Standing {
    let (topic, partition) = partition_of_stream(stall.stream);
    let (reason, head) = (stall.reason.clone(), stall.head.clone());
    Standing { topic: topic.name(), partition, offset: stall.offset, reason, head }
}
