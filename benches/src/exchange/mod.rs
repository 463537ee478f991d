//! `hexflow bench exchange`: the same rows between two workers, written in three ways and sent on three paths.
//!
//! ```text
//!   ways                                           paths
//!   columns       hexflow's batches, timely 0.31   move    within a process, as values
//!   bincode       owned rows, timely 0.31          bytes   within a process, written and read as between processes
//!   abomonation   owned rows, timely 0.12          tcp     between two processes of this machine
//! ```
//! abomonation is unsound and unmaintained (RUSTSEC-2021-0120), and is here only so that what hexflow chose instead rests on
//! figures. What arrived is compared with what was sent by the sum of its rows' hashes.

mod fields;
mod owned;
mod past;
mod present;
mod route;
mod rows;

use std::net::TcpListener;
use std::path::Path as FilePath;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use hexflow::bench::BenchArgs;
use serde_json::{Value, json};

use self::route::Route;
use crate::report::{Cell, Column, Report};
use crate::statistics::{median, spread};
use crate::{dumps, part};

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Columns,
    Bincode,
    Abomonation,
}

impl Way {
    const ALL: [(Way, &str); 3] =
        [(Way::Columns, "columns"), (Way::Bincode, "bincode"), (Way::Abomonation, "abomonation (unsound)")];
}

/// What rows go through.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Path {
    Move,
    Bytes,
    /// Which of the two processes this one is, and where both are.
    Tcp(usize, [String; 2]),
}

impl Path {
    /// Workers of a process, processes, and which of them this one is.
    fn shape(&self) -> (usize, usize, usize) {
        match self {
            Path::Move | Path::Bytes => (2, 1, 0),
            Path::Tcp(process, _) => (1, 2, *process),
        }
    }

    fn addresses(&self) -> Vec<String> {
        if let Path::Tcp(_, addresses) = self { addresses.to_vec() } else { Vec::new() }
    }
}

/// What a process found.
struct Found {
    /// All rows as bytes.
    bytes: u64,
    /// Of each worker, on each route, each run: how long it took, and the sum of the rows that came.
    workers: Vec<[Vec<(Duration, u64)>; 3]>,
}

/// Measures every way on every path.
pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    let folder = tempfile::tempdir()?;
    dumps::detections(args.events.unwrap_or(1_000_000), folder.path())?;
    let mut report = Report::new("exchange", "Rows between two workers: detections, from a worker's hand to another's");
    report.fact("runs", args.runs);
    report.columns([
        Column::text("way", "way"),
        Column::text("path", "path"),
        Column::text("route", "route"),
        Column::figure("rows", "rows", 0),
        Column::figure("bytes_per_row", "bytes/row", 0),
        Column::figure("ns_per_row", "ns/row", 0),
        Column::percent("spread", "spread"),
        Column::unprinted("runs"),
    ]);
    for (index, (_, name)) in Way::ALL.into_iter().enumerate() {
        for path in ["move", "bytes", "tcp"] {
            let found = measure(index, path, folder.path(), args.runs)?;
            for route in 0..Route::ALL.len() {
                report.row(row(name, path, route, &found)?);
            }
        }
    }
    report.note("stay: no row changes its worker, what else there is to do; split: half do, by key; cross: all do");
    report.note(
        "each received row is hashed whole; time is of the wall, from when both workers are ready, over all rows",
    );
    report.note(
        "abomonation: timely 0.12, whose codec it was; unsound and unmaintained (RUSTSEC-2021-0120), only measured",
    );
    report.print(args.json)
}

/// One way on one path; what each process of it found.
fn measure(way: usize, path: &str, folder: &FilePath, runs: u64) -> Result<Vec<Value>> {
    let (way, runs, folder) = (way.to_string(), runs.to_string(), folder.display().to_string());
    let addresses = free_addresses()?;
    let processes = if path == "tcp" { 2 } else { 1 };
    let start = |process: usize| {
        let process = process.to_string();
        part::start(&["exchange", &way, path, &process, &addresses[0], &addresses[1], &folder, &runs])
    };
    let started = (0..processes).map(start).collect::<Result<Vec<_>>>()?;
    started.into_iter().map(part::finish).collect()
}

fn free_addresses() -> Result<[String; 2]> {
    let listeners = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    Ok([listeners[0].local_addr()?.to_string(), listeners[1].local_addr()?.to_string()])
}

/// A line of the report; an error if not all rows came.
fn row(way: &str, path: &str, route: usize, found: &[Value]) -> Result<Vec<Cell>> {
    let workers: Vec<&Vec<Value>> = found
        .iter()
        .flat_map(|found| found["workers"].as_array().into_iter().flatten())
        .filter_map(|worker| worker[route].as_array())
        .collect();
    let (rows, sum) = (part::figure(&found[0], "rows")?, found[0]["sum"].as_u64().context("a sum")?);
    let mut ns = Vec::new();
    for run in 0..workers.first().context("no worker")?.len() {
        let arrived = workers.iter().fold(0u64, |all, runs| all.wrapping_add(runs[run][1].as_u64().unwrap_or(0)));
        ensure!(arrived == sum, "{way} on {path}: what arrived is not what was sent");
        let slowest = workers.iter().filter_map(|runs| runs[run][0].as_f64()).fold(0.0, f64::max);
        ns.push(slowest * 1e9 / rows);
    }
    let bytes = part::figure(&found[0], "bytes")? / rows;
    let (middle, spread) = (median(ns.iter().copied()), spread(ns.iter().copied()));
    let names = [way.into(), path.into(), Route::ALL[route].name().into(), rows.into(), bytes.into()];
    Ok(names.into_iter().chain([middle.into(), spread.into(), Cell::list(ns)]).collect())
}

/// One process of one way on one path.
pub(crate) fn part(arguments: &[String]) -> Result<Value> {
    let [way, path, process, first, second, folder, runs] = arguments else { bail!("{arguments:?}") };
    let path = match path.as_str() {
        "move" => Path::Move,
        "bytes" => Path::Bytes,
        _ => Path::Tcp(process.parse()?, [first.clone(), second.clone()]),
    };
    let batches = rows::read(FilePath::new(folder))?;
    let (count, sum) = rows::sum(&batches);
    let found = match Way::ALL[way.parse::<usize>()?].0 {
        Way::Abomonation => past::run(&path, rows::owned(&batches), runs.parse()?)?,
        way => present::run(way, &path, batches, runs.parse()?)?,
    };
    let seconds =
        |runs: &Vec<(Duration, u64)>| runs.iter().map(|(took, sum)| json!([took.as_secs_f64(), sum])).collect();
    let workers: Vec<Vec<Value>> = found.workers.iter().map(|routes| routes.iter().map(seconds).collect()).collect();
    Ok(json!({ "rows": count, "sum": sum, "bytes": found.bytes, "workers": workers }))
}
