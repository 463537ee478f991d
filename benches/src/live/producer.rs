//! Produces what `hexflow generate` makes, each record at its scheduled instant, however slow its reader is.

use std::borrow::Cow;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, anyhow};
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde::Deserialize;

use super::work::Work;
use crate::programs::hexflow;

/// Of so many records that could be looked for one is.
const PROBE_EVERY: usize = 2_000;

/// None is looked for before so long: broker, store and run have just been started, and a JVM compiles what it does often.
pub(crate) const WARM_UP: Duration = Duration::from_secs(15);

/// How long what was produced last may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A record that is looked for: its row's key, and when it was produced.
pub(crate) type Probe = (String, Instant);

/// Produces `records` records of `work`, `rate` a second or as fast as they are taken; tells of `probes`. Returns how many
/// were.
pub(crate) fn produce(
    brokers: &str,
    work: Work,
    records: u64,
    rate: Option<u64>,
    probes: &Sender<Probe>,
) -> Result<u64> {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("linger.ms", "50")
        .set("queue.buffering.max.messages", "200000")
        .create()?;
    let mut generate = Command::new(hexflow());
    generate.arg("generate").args(work.generated(records, rate)?).args(["--seed", &records.to_string(), "-"]);
    let mut child = generate.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().context("cannot run hexflow")?;
    let lines = BufReader::with_capacity(1 << 20, child.stdout.take().context("piped")?).lines();
    let began = Instant::now();
    let (mut sent, mut seen) = (0, 0);
    for line in lines {
        let line = line?;
        let record: Line<'_> = serde_json::from_str(&line).context("a line of hexflow generate")?;
        if let Some(rate) = rate {
            wait_until(&producer, began + Duration::from_nanos(1_000_000_000 / rate * sent));
        }
        give(&producer, &record)?;
        sent += 1;
        if record.topic == work.probed_topic() {
            seen += 1;
            if seen % PROBE_EVERY == 0 && began.elapsed() > WARM_UP {
                let probe = work.probe(&serde_json::from_str(&record.payload)?)?;
                let _ = probes.send((probe, Instant::now())); // nobody looks when nobody listens
            }
        }
        if sent == records {
            break;
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    producer.flush(PATIENCE)?;
    Ok(sent)
}

/// Waits; what the client calls back meanwhile is heard.
fn wait_until(producer: &BaseProducer, when: Instant) {
    let left = when.saturating_duration_since(Instant::now());
    if left > Duration::from_millis(1) {
        producer.poll(Duration::ZERO);
        sleep(left);
    }
}

/// What a dump's line says of a record.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    topic: Cow<'a, str>,
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    payload: Cow<'a, str>,
    headers: Vec<String>,
}

fn give(producer: &BaseProducer, Line { topic, key, payload, headers }: &Line<'_>) -> Result<()> {
    let headers = headers
        .as_chunks::<2>()
        .0
        .iter()
        .fold(OwnedHeaders::new(), |headers, [key, value]| headers.insert(Header { key, value: Some(value) }));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    let mut message =
        BaseRecord::to(topic).key(&**key).payload(&**payload).headers(headers).timestamp(i64::try_from(now)?);
    loop {
        match producer.send(message) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), unsent)) => {
                producer.poll(Duration::from_millis(10));
                message = unsent;
            }
            Err((error, _)) => return Err(anyhow!("cannot produce to {topic}: {error}")),
        }
    }
}
