//! The job: peer-dbsp DUMPS OUT PARALLELISM. As many threads parse and stage batches, work in the circuit, and write.

mod circuit;
mod lines;
mod output;
mod parse;
mod row;

use anyhow::{Context, Result};
use circuit::{Handles, Survivors};
use dbsp::Runtime;
use dbsp::circuit::CircuitConfig;
use dbsp::operator::StagedBuffers;
use dbsp::typed_batch::SpineSnapshot;
use dbsp::utils::Tup2;
use lines::Lines;
use output::Output;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH: usize = 10_000;
const QUEUE: usize = 4;

fn main() -> Result<()> {
    let begun = Instant::now();
    let args: Vec<String> = std::env::args().collect();
    let [_, dumps, out, parallelism] = args.as_slice() else {
        anyhow::bail!("peer-dbsp DUMPS OUT PARALLELISM");
    };
    let (dumps, out) = (Path::new(dumps), Path::new(out));
    let parallelism: usize = parallelism.parse()?;

    let config = CircuitConfig::with_workers(parallelism);
    let (mut dbsp, handles) = Runtime::init_circuit(config, circuit::build)?;
    let started = Instant::now();
    load_mapping(&dumps.join("mapping.ndjson"), &handles)?;

    let path = dumps.join("axion.sense.citylens.detections.ndjson");
    let (staged, batches) = sync_channel(QUEUE);
    let records = thread::scope(|scope| {
        let readers: Vec<_> = (0..parallelism)
            .map(|part| {
                let (lines, staged) = (Lines::part(&path, part, parallelism), staged.clone());
                let handles = handles.clone();
                scope.spawn(move || read(lines?, &handles, &staged))
            })
            .collect();
        drop(staged);
        let (writers, threads): (Vec<_>, Vec<_>) = (0..parallelism)
            .map(|part| {
                let (sender, survivors) = sync_channel(QUEUE);
                (sender, scope.spawn(move || write(out, part, &survivors)))
            })
            .unzip();
        for mut batch in batches {
            batch.flush();
            dbsp.transaction()?;
            for (worker, writer) in writers.iter().enumerate() {
                if let Some(survivors) = handles.survivors.take_from_worker(worker) {
                    writer.send(survivors).context("a writer has failed")?;
                }
            }
        }
        drop(writers);
        for thread in threads {
            thread.join().expect("no panic")?;
        }
        readers.into_iter().map(|reader| reader.join().expect("no panic")).sum::<Result<u64>>()
    })?;

    println!(
        r#"{{"engine":"dbsp","version":"0.375.0","parallelism":{parallelism},"records":{records},"seconds":{:.3},"startup_seconds":{:.3}}}"#,
        started.elapsed().as_secs_f64(),
        (started - begun).as_secs_f64(),
    );
    std::process::exit(0) // without freeing all state first
}

fn load_mapping(path: &Path, handles: &Handles) -> Result<()> {
    let mut lines = Lines::part(path, 0, 1)?;
    while let Some(line) = lines.next()? {
        let row = parse::mapping(line)?;
        handles.mapping.push(row.citylens_track_id, (row.axion_track_id.as_u128(), 1));
    }
    Ok(())
}

type Staged = Box<dyn StagedBuffers>;

/// Parses a part and stages it in batches; gives the records read.
fn read(mut lines: Lines, handles: &Handles, staged: &SyncSender<Staged>) -> Result<u64> {
    let mut records = 0;
    loop {
        let mut batch = VecDeque::with_capacity(BATCH);
        while batch.len() < BATCH {
            let Some(line) = lines.next()? else { break };
            records += 1;
            if let Some(row) = parse::detection(line)? {
                batch.push_back(Tup2(Arc::new(row), 1));
            }
        }
        if batch.is_empty() {
            return Ok(records);
        }
        staged.send(Box::new(handles.detections.stage([batch]))).context("the circuit has failed")?;
    }
}

fn write(out: &Path, part: usize, survivors: &Receiver<SpineSnapshot<Survivors>>) -> Result<()> {
    let mut output = Output::create(out, part)?;
    for batch in survivors {
        output.batch(&batch)?;
    }
    output.close()
}
