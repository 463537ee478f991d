//! What a replay has done, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::Context;
use hexflow_dataflows::counts::Counts;
use hexflow_dataflows::decode::Stall;
use hexflow_dataflows::pipelines::Pipelines;
use hexflow_dataflows::rows::partition_of_stream;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::progress::Progress;
use crate::totals::Totals;

/// Of a run, or of a pipeline in it.
#[derive(Clone, Copy, Debug)]
struct Numbers {
    counts: Counts,
    seconds: f64,
}

impl Numbers {
    fn new(counts: Counts, elapsed: Duration) -> Self {
        Numbers { counts, seconds: elapsed.as_secs_f64() }
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    fn records_per_second(&self) -> f64 {
        self.counts.records as f64 / self.seconds.max(1e-9)
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Numbers { counts, seconds } = self;
        let mut map = serializer.serialize_map(None)?;
        for (name, count) in [
            ("records", counts.records),
            ("upserts", counts.upserts),
            ("duplicates", counts.duplicates),
            ("stale", counts.stale),
            ("late", counts.late),
            ("malformed", counts.malformed),
            ("stalled", counts.stalled()),
            ("ignored", counts.ignored),
            ("dead_letters", counts.dead_letters),
            ("skipped", counts.skipped),
        ] {
            map.serialize_entry(name, &count)?;
        }
        map.serialize_entry("unlocated", &counts.unlocated)?;
        map.serialize_entry("seconds", seconds)?;
        map.serialize_entry("records_per_second", &self.records_per_second())?;
        map.end()
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
    pub fn json(&self) -> anyhow::Result<String> {
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
                n.counts.records,
                n.counts.upserts,
                n.counts.duplicates,
                n.counts.stale,
                n.counts.malformed,
                n.counts.stalled(),
                n.counts.ignored,
                n.seconds,
                n.records_per_second()
            );
        }
        let Counts { late, unlocated, skipped, .. } = self.all.counts;
        if late > 0 {
            let _ = writeln!(table, "{late} records were too late for their windows, and changed nothing");
        }
        if unlocated > 0 {
            let _ = writeln!(table, "{unlocated} detections are at locations that are not known");
        }
        if skipped > 0 {
            let _ = writeln!(table, "{skipped} records were skipped, as an operator has said");
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
