//! What was measured, as a table for people and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::measure::Run;

/// All runs of one program.
pub(crate) struct Subject {
    /// How it is called.
    pub(crate) name: String,
    /// In the order in which they were made.
    pub(crate) runs: Vec<Run>,
}

/// What was read.
pub(crate) struct Work {
    /// Lines of all dumps.
    pub(crate) records: u64,
    /// Bytes of all dumps.
    pub(crate) bytes: u64,
    /// In words.
    pub(crate) title: String,
}

/// A line of the table.
struct Figures {
    best: f64,
    median: f64,
    spread: f64,
    records_per_second: f64,
    to_the_limit: f64,
    cpu_seconds: f64,
    peak_mib: f64,
}

/// The middle one, or the mean of the two.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

#[expect(clippy::cast_precision_loss, reason = "figures are rounded")]
fn figures(work: &Work, limit: &Subject, subject: &Subject) -> Figures {
    let seconds = || subject.runs.iter().map(|run| run.seconds);
    let (best, worst) = (seconds().fold(f64::MAX, f64::min), seconds().fold(0.0, f64::max));
    let median_seconds = median(seconds());
    Figures {
        best,
        median: median_seconds,
        spread: (worst - best) / median_seconds,
        records_per_second: work.records as f64 / median_seconds,
        // Runs of one round were made one after the other, on a machine in the same mood.
        to_the_limit: median(limit.runs.iter().zip(seconds()).map(|(limit, seconds)| limit.seconds / seconds)),
        cpu_seconds: median(subject.runs.iter().map(|run| run.cpu_seconds)),
        peak_mib: subject.runs.iter().map(|run| run.peak_kib).max().unwrap_or(0) as f64 / 1024.0,
    }
}

/// The table; the first subject is the limit.
pub(crate) fn table(work: &Work, subjects: &[Subject], surroundings: &[(&str, String)]) -> String {
    let mut text = format!("{}\n", work.title);
    let machine: Vec<_> = surroundings.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let _ = writeln!(text, "{}\n", machine.join(", "));
    let _ = writeln!(
        text,
        "{:<26} {:>9} {:>7} {:>7} {:>7} {:>10} {:>8} {:>6} {:>9}",
        "what", "records", "best s", "median", "spread", "records/s", "to limit", "CPU s", "peak MiB"
    );
    for subject in subjects {
        let f = figures(work, &subjects[0], subject);
        let _ = writeln!(
            text,
            "{:<26} {:>9} {:>7.2} {:>7.2} {:>6.1}% {:>10.0} {:>8.2} {:>6.2} {:>9.0}",
            subject.name,
            work.records,
            f.best,
            f.median,
            f.spread * 100.0,
            f.records_per_second,
            f.to_the_limit,
            f.cpu_seconds,
            f.peak_mib
        );
    }
    text
}

/// The same as one JSON object.
pub(crate) fn json(work: &Work, subjects: &[Subject], surroundings: &[(&str, String)]) -> Value {
    let machine: serde_json::Map<_, _> =
        surroundings.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))).collect();
    let results: Vec<_> = subjects
        .iter()
        .map(|subject| {
            let f = figures(work, &subjects[0], subject);
            json!({
                "what": subject.name,
                "runs": subject.runs.iter().map(|run| run.seconds).collect::<Vec<_>>(),
                "best_seconds": f.best,
                "median_seconds": f.median,
                "spread": f.spread,
                "records_per_second": f.records_per_second,
                "to_the_limit": f.to_the_limit,
                "cpu_seconds": f.cpu_seconds,
                "peak_mib": f.peak_mib,
            })
        })
        .collect();
    json!({
        "title": work.title,
        "records": work.records,
        "bytes": work.bytes,
        "surroundings": machine,
        "results": results,
    })
}
