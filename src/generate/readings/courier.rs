//! The way of a reading into its topic, with what happens on it: it may take long, and come twice.
//!
//! As with citylens, the fresh readings of a seed are the same however they arrive: chance on the way is drawn from a
//! source of its own.

use std::fmt::{self, Write};

use anyhow::{Context, Result};
use hexflow_dataflows::messages::topic::Topic;

use super::transit::{Pending, Transit};
use crate::generate::args::{DelayArgs, Options};
use crate::generate::envelope::Cause;
use crate::generate::file::Sink;
use crate::generate::id::{Ids, Kind};
use crate::generate::random::{Random, place};
use crate::generate::summary::{Summary, Words};
use crate::generate::topics::{Head, Topics};

/// Whose the sensors and cameras are.
const TENANTS: [&str; 5] = ["org-roads", "org-parking", "org-lighting", "org-survey", "org-transit"];

/// What a message tells. Small, and no text: all that is on its way is held.
pub(super) trait Reading: Copy + Ord {
    /// The topic that carries it.
    const TOPICS: &'static [Topic; 1];
    /// What is told of the topic.
    const WORDS: Words;

    /// The instant it tells of, ms since the epoch.
    fn at_ms(&self) -> i64;

    /// Where it was made: the key, a number.
    fn place(&self) -> i64;

    /// Appends the message.
    fn write(&self, payload: &mut String) -> fmt::Result;
}

/// Brings readings into their topic.
pub(super) struct Courier<R> {
    topics: Topics,
    transit: Transit<R>,
    ids: Ids,
    random: Random,
    duplicates: f64,
    delays: DelayArgs,
    /// Readings so far.
    sent: u64,
    key: String,
    payload: String,
    summary: Summary,
}

impl<R: Reading> Courier<R> {
    /// Opens the topic.
    pub(super) fn new(args: &Options) -> Result<Self> {
        Ok(Courier {
            topics: Topics::create(&args.output, R::TOPICS)?,
            transit: Transit::default(),
            ids: Ids::new(args.seed),
            random: Random::new(args.seed, 1),
            duplicates: args.duplicates,
            delays: args.delays.clone(),
            sent: 0,
            key: String::new(),
            payload: String::new(),
            summary: Summary::new(R::WORDS),
        })
    }

    /// Sends a reading at its instant, which is not before that of the reading sent last.
    pub(super) fn send(&mut self, reading: R) -> Result<()> {
        self.deliver(reading.at_ms())?;
        let (cause, delay_ms) = self.delay();
        let request = self.ids.bits(Kind::Request, self.sent);
        self.sent += 1;
        let first = Pending { due_ms: reading.at_ms() + delay_ms, cause, request, reading };
        if self.random.chance(self.duplicates) {
            let share = self.random.unit();
            let due_ms = first.due_ms + 1_000 + (share * share * 59_000.0) as i64;
            self.transit.post(Pending { due_ms, cause: Cause::Duplicate, ..first });
        }
        match delay_ms {
            0 => self.append(&first),
            _ => {
                self.transit.post(first);
                Ok(())
            }
        }
    }

    /// How long the next reading takes, ms, and whether that makes it late.
    fn delay(&mut self) -> (Cause, i64) {
        let disorder_ms = self.random.below(self.delays.disorder.as_millis() as u64 + 1) as i64;
        if !self.random.chance(self.delays.late) {
            return (Cause::Fresh, disorder_ms);
        }
        // Mostly minutes, hours now and then: as products, since powers and logarithms differ between platforms.
        let square = |share: f64| share * share;
        let share = square(square(square(self.random.unit())));
        let longest_ms = self.delays.lateness.as_millis() as f64;
        (Cause::Late, disorder_ms + 1_000 + (share * (longest_ms - 1_000.0)) as i64)
    }

    /// Delivers what is due by `until_ms`.
    fn deliver(&mut self, until_ms: i64) -> Result<()> {
        while let Some(pending) = self.transit.take(until_ms) {
            self.append(&pending)?;
        }
        Ok(())
    }

    fn append(&mut self, pending: &Pending<R>) -> Result<()> {
        let Pending { due_ms, cause, request, reading } = *pending;
        let number = reading.place();
        self.key.clear();
        self.payload.clear();
        write!(self.key, "{number}").context("writing a key")?;
        reading.write(&mut self.payload).context("writing a message")?;
        let [topic] = R::TOPICS;
        let head = Head {
            topic: 0,
            ts_ms: due_ms,
            key: &self.key,
            message_type: topic.message_types().first().copied().unwrap_or_default(),
            org_id: TENANTS[(place(&[number.cast_unsigned()]) % TENANTS.len() as u64) as usize],
            request,
            has_request_id: true,
        };
        self.summary.count(0, cause, reading.at_ms());
        self.topics.append(&head, Some(&self.payload))
    }

    /// Delivers all that is still on its way, and ends the topic, and the file that lies beside it.
    pub(super) fn finish(mut self, beside: Option<Sink>) -> Result<Summary> {
        self.deliver(i64::MAX)?;
        self.summary.bytes = self.topics.finish(beside)?;
        Ok(self.summary)
    }
}
