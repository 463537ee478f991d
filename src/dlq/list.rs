//! Lists dead letters: where each is, where it came from, and what is wrong with it.

use anyhow::Result;
use rdkafka::Message;
use rdkafka::message::BorrowedMessage;
use serde::Serialize;

use super::Which;
use super::waiting::{Waiting, letter};
use crate::cli::{Failure, print};
use crate::config::Config;
use crate::replay::args::SummaryFormat;

/// Bytes of a payload that are shown.
const HEAD_BYTES: usize = 64;

/// A letter, as it is told.
#[derive(Debug, Serialize)]
struct Told {
    /// The topic that it came from.
    topic: String,
    /// Where it was there.
    partition: Option<u32>,
    offset: Option<u64>,
    /// Where it is among the dead letters.
    letter_partition: i32,
    letter_offset: i64,
    error: String,
    key: Option<String>,
    head: String,
}

#[derive(Debug, Serialize)]
struct All {
    waiting: usize,
    letters: Vec<Told>,
}

/// Prints them.
pub fn run(which: &Which, config: &Config) -> Result<(), Failure> {
    let waiting = Waiting::open(config, &which.topics)?;
    let mut letters = Vec::new();
    for place in waiting.places()? {
        waiting.read(&place, |message| {
            let told = tell(&place.topic, message);
            match which.summary {
                SummaryFormat::Json => letters.push(told),
                SummaryFormat::Table => print(line(&told).as_bytes()).map_err(|_| anyhow::anyhow!("cannot print"))?,
            }
            Ok(())
        })?;
    }
    if which.summary == SummaryFormat::Json {
        let all = All { waiting: letters.len(), letters };
        print((serde_json::to_string(&all).map_err(anyhow::Error::from)? + "\n").as_bytes())?;
    }
    Ok(())
}

fn tell(topic: &str, message: &BorrowedMessage<'_>) -> Told {
    let letter = letter(message);
    let payload = message.payload().unwrap_or_default();
    Told {
        topic: topic.to_owned(),
        partition: letter.partition,
        offset: letter.offset,
        letter_partition: message.partition(),
        letter_offset: message.offset(),
        error: letter.error.into_owned(),
        key: message.key().map(|key| String::from_utf8_lossy(key).into_owned()),
        head: String::from_utf8_lossy(&payload[..payload.len().min(HEAD_BYTES)]).into_owned(),
    }
}

fn line(told: &Told) -> String {
    let number = |n: Option<u64>| n.map_or_else(|| "?".to_owned(), |n| n.to_string());
    format!(
        "{} partition {} offset {}: {}; {}\n",
        told.topic,
        number(told.partition.map(u64::from)),
        number(told.offset),
        told.error.escape_debug(),
        told.head.escape_debug()
    )
}
