//! How far behind this process is: asks the brokers now and then, on a thread and a connection of its own, so that it is
//! told also while reading stands still.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, anyhow};
use rdkafka::ClientConfig;
use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::Offset;

use super::client::close_aside;
use super::ledger::{Ledger, Settled};
use super::names::Names;
use super::watch::Watch;
use crate::fault::Fault;
use crate::telemetry::labels::Partition;
use crate::telemetry::metrics;

/// Time between two questions.
const PERIOD: Duration = Duration::from_secs(5);

/// How long the brokers may take to answer one.
const PATIENCE: Duration = Duration::from_secs(5);

/// After so many questions without an answer another client asks.
const ANEW: u32 = 3;

/// Asks for as long as the process lives, for the partitions that `ledger` says are this process's.
pub fn start(
    client: &ClientConfig,
    names: Names,
    ledger: Arc<Mutex<Ledger>>,
    watch: Watch,
    fault: Fault,
) -> Result<()> {
    let client = client.clone();
    let mut consumer = BaseConsumer::from_config(&client).context("cannot make a second Kafka client")?;
    let run = move || {
        let (mut shown, mut unanswered) = (BTreeSet::new(), 0);
        loop {
            thread::sleep(PERIOD);
            // The library may have forgotten the brokers (`brokers.rs`).
            if unanswered >= ANEW
                && let Ok(another) = BaseConsumer::from_config(&client)
            {
                unanswered = 0;
                // Where no thread can be had it is closed here.
                drop(close_aside(std::mem::replace(&mut consumer, another)));
            }
            let ours = ledger.lock().unwrap_or_else(PoisonError::into_inner).settled();
            let now: BTreeSet<u32> = ours.iter().map(|settled| settled.stream).collect();
            for gone in shown.difference(&now) {
                let label = label(&names, *gone);
                metrics().lag_records.remove(&label);
                metrics().lag_seconds.remove(&label);
            }
            shown = now;
            // What is not answered is asked again; the client's own callbacks tell of lost brokers.
            let Ok(committed) = ask(&consumer, &names, &ours) else {
                unanswered += 1;
                continue;
            };
            unanswered = 0;
            watch.found();
            if let Some(gone) = ours.iter().find(|ours| ours.committed > 0 && !committed.contains_key(&ours.stream)) {
                fault.raise(made_anew(&label(&names, gone.stream)));
                return;
            }
            let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
            committed.into_iter().for_each(|(stream, offset)| ledger.committed(stream, offset));
        }
    };
    thread::Builder::new().name("lag".to_owned()).spawn(run).context("cannot start a thread")?;
    Ok(())
}

fn label(names: &Names, stream: u32) -> Partition {
    let (topic, partition) = names.place(stream);
    Partition { topic: topic.to_owned(), partition }
}

/// Brokers forget a group's offsets with the topic. Were the topic made anew meanwhile, what is read would begin in the middle
/// of it, and nobody would know.
fn made_anew(partition: &Partition) -> anyhow::Error {
    let Partition { topic, partition } = partition;
    anyhow!(
        "topic {topic} partition {partition}: the group's committed offset is gone, so the topic was deleted: start again to \
         read from the beginning of the new one; what was stored stays"
    )
}

/// Asks for the ends and the committed offsets of `ours`; returns what is committed.
fn ask(consumer: &BaseConsumer, names: &Names, ours: &[Settled]) -> KafkaResult<BTreeMap<u32, u64>> {
    // Brokers that are there answer this also where nothing is assigned.
    consumer.fetch_metadata(names.all().first().copied(), PATIENCE)?;
    let mut known = BTreeMap::new();
    if ours.is_empty() {
        return Ok(known);
    }
    let committed = consumer
        .committed_offsets(names.partitions(ours.iter().map(|settled| settled.stream)), PATIENCE)?
        .to_topic_map();
    for &Settled { stream, durable_ms, .. } in ours {
        let label = label(names, stream);
        let number = label.partition.cast_signed();
        let (low, high) = consumer.fetch_watermarks(&label.topic, number, PATIENCE)?;
        let at = match committed.get(&(label.topic.clone(), number)) {
            Some(Offset::Offset(offset)) => {
                known.insert(stream, offset.cast_unsigned());
                (*offset).max(low)
            }
            _ => low,
        };
        let behind = (high - at).max(0);
        metrics().lag_records.get_or_create(&label).set(behind);
        let age = if behind == 0 { Some(0.0) } else { durable_ms.map(age_seconds) };
        if let Some(age) = age {
            metrics().lag_seconds.get_or_create(&label).set(age);
        }
    }
    Ok(known)
}

/// The age of what happened at `ms` since the epoch.
fn age_seconds(ms: i64) -> f64 {
    let then = SystemTime::UNIX_EPOCH + Duration::from_millis(ms.try_into().unwrap_or(0));
    SystemTime::now().duration_since(then).unwrap_or_default().as_secs_f64()
}
