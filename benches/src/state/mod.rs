//! `hexflow bench state`: what a record and a key cost as keys grow in number.
//!
//! The state is the dedup operator's. Beside it stands a differential arrangement of the same collection, the alternative
//! that was weighed (ARCHITECTURE.md, "Decisions"). Each size runs in a process of its own, so that memory is its own.

mod arranged;
mod drive;
mod table;

use std::fs;

use anyhow::{Context, Result, bail};
use hexflow::bench::BenchArgs;
use serde_json::Value;

use crate::part;
use crate::report::{Cell, Column, Report};
use crate::statistics::median;
use crate::svg::{Panel, Series, lines};

/// Sizes, millions of keys.
const MILLIONS: [u64; 7] = [1, 2, 5, 10, 20, 35, 50];

/// The largest arrangement, keys: enough to see where it goes.
const MOST_ARRANGED: u64 = 10_000_000;

/// What a part tells.
const FIGURES: [&str; 5] = ["new_ns", "repeat_ns", "mix_ns", "bytes_per_key", "longest_batch_ms"];

/// Measures all sizes up to `--events`.
pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    let most = args.events.unwrap_or(50_000_000);
    let mut sizes: Vec<u64> = MILLIONS.iter().map(|n| n * 1_000_000).filter(|&keys| keys < most).collect();
    sizes.push(most);
    let mut report = Report::new("state", "The state of deduplication as keys grow in number");
    report.fact("runs", args.runs);
    report.columns([
        Column::text("what", "what"),
        Column::figure("keys", "keys", 0),
        Column::figure("new_ns", "new, ns", 0),
        Column::figure("repeat_ns", "repeat, ns", 0),
        Column::figure("mix_ns", "mix, ns", 0),
        Column::figure("bytes_per_key", "bytes/key", 1),
        Column::figure("longest_batch_ms", "longest batch, ms", 2),
        Column::figure("new_to_first", "new to first", 2),
        Column::figure("mix_to_first", "mix to first", 2),
        Column::unprinted("runs"),
    ]);
    let mut curves = Vec::new();
    for what in ["table", "arrangement"] {
        let mut measured = Vec::new();
        let mut first = None;
        let arranged = what == "arrangement";
        for &keys in sizes.iter().filter(|&&keys| !arranged || keys <= MOST_ARRANGED && keys != 2_000_000) {
            let runs: Vec<Value> = (0..args.runs)
                .map(|_| part::finish(part::start(&["state", what, &keys.to_string()])?))
                .collect::<Result<_>>()?;
            let figures = middle(&runs)?;
            measured.push((keys as f64 / 1e6, figures));
            let first = first.get_or_insert(figures);
            let ratios = [figures[0] / first[0], figures[2] / first[2]];
            let cells = [what.into(), keys.into()].into_iter().chain(figures.into_iter().chain(ratios).map(Cell::from));
            report.row(cells.chain([Cell::list(runs)]));
        }
        curves.push((what, measured));
    }
    if let Some(file) = &args.svg {
        fs::write(file, picture(&curves)).with_context(|| format!("cannot write {}", file.display()))?;
    }
    report.note(
        "batches of 500; a day's window that the keys just fill; mix: half new keys, half repeats; medians of runs",
    );
    report.note("bytes/key: growth of resident memory; the arrangement keeps the last version, forgets nothing");
    report.print(args.json)
}

/// A state's name, and at each size, millions of keys, its figures.
type Curve = (&'static str, Vec<(f64, [f64; 5])>);

/// Time and memory over the number of keys. The arrangement's time is beyond the table's scale and left to the report.
fn picture(curves: &[Curve]) -> String {
    let series = |(name, measured): &Curve, figure: usize, label: &str| Series {
        name: format!("{name}{label}"),
        points: measured.iter().map(|(millions, figures)| (*millions, figures[figure])).collect(),
    };
    let table = curves.iter().filter(|(name, _)| *name == "table");
    let time = table.flat_map(|curve| [series(curve, 0, ", new keys"), series(curve, 1, ", repeats")]).collect();
    let memory = curves.iter().map(|curve| series(curve, 3, "")).collect();
    let panels = [("ns a record", time), ("bytes a key", memory)];
    let panels = panels.map(|(label, series)| Panel { y_label: label.to_owned(), series });
    lines("Deduplication's state as keys grow in number", "millions of keys", &panels)
}

/// The median of each figure.
fn middle(runs: &[Value]) -> Result<[f64; 5]> {
    let mut figures = [0.0; 5];
    for (figure, name) in figures.iter_mut().zip(FIGURES) {
        let values = runs.iter().map(|run| part::figure(run, name)).collect::<Result<Vec<_>>>()?;
        *figure = median(values);
    }
    Ok(figures)
}

/// One size, in this process.
pub(crate) fn part(arguments: &[String]) -> Result<Value> {
    let [what, keys] = arguments else { bail!("a state and a number of keys") };
    let keys = keys.parse().with_context(|| format!("{keys:?} is no number of keys"))?;
    match what.as_str() {
        "table" => table::run(keys),
        "arrangement" => arranged::run(keys),
        other => bail!("no state {other:?}"),
    }
}
