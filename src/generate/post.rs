//! The way from a message to the logs, with all that goes wrong on it.
//!
//! Faults come on top: whatever their shares, the fresh messages of a seed are the same, so that the tables made from a
//! dump with duplicates, stale versions and dead letters can be compared with those of a clean one. Chance for them is
//! drawn from a source of their own.

use anyhow::{Context, Result};

use super::args::Options;
use super::broken::break_record;
use super::envelope::{Cause, Envelope};
use super::id::{GHOST, Ids, Kind};
use super::later::Later;
use super::log::Log;
use super::message::{Message, Numbers};
use super::random::Random;
use super::summary::Summary;

/// Tell a message's own request from those of what is made of it.
const OF_STALE: u64 = 1 << 61;
const OF_BROKEN: u64 = 2 << 61;
const OF_ORPHAN: u64 = 3 << 61;

/// Sends messages.
pub(super) struct Post {
    log: Log,
    later: Later,
    ids: Ids,
    random: Random,
    duplicates: f64,
    stale: f64,
    malformed: f64,
    orphans: f64,
    /// Fresh messages so far.
    sent: u64,
    /// Broken ones so far.
    broken: u64,
    payload: Vec<u8>,
    text: String,
}

impl Post {
    /// Opens the logs.
    pub(super) fn new(args: &Options) -> Result<Self> {
        Ok(Post {
            log: Log::create(&args.output)?,
            later: Later::default(),
            ids: Ids::new(args.seed),
            random: Random::new(args.seed, 1),
            duplicates: args.duplicates,
            stale: args.citylens.stale,
            malformed: args.citylens.malformed,
            orphans: args.citylens.orphans,
            sent: 0,
            broken: 0,
            payload: Vec::new(),
            text: String::new(),
        })
    }

    /// Sends a message at `at_ms`, and by chance what goes wrong with it.
    pub(super) fn send<M: Message>(
        &mut self,
        at_ms: i64,
        org_id: &'static str,
        numbers: Numbers,
        mut message: M,
    ) -> Result<()> {
        let number = self.sent;
        self.sent += 1;
        let envelope = |ids: Ids, cause, track, request| {
            Envelope::new(M::TOPIC, cause, org_id, ids.bits(Kind::Track, track), ids.bits(Kind::Request, request))
        };
        let fresh = envelope(self.ids, Cause::Fresh, numbers.track, number);
        let payload = write(&mut self.payload, &message)?;
        self.log.append(at_ms, &fresh, Some(payload))?;
        if self.random.chance(self.duplicates) {
            self.later.post(at_ms, Envelope { cause: Cause::Duplicate, ..fresh }, payload, &mut self.random);
        }
        if self.random.chance(self.malformed) {
            let mut broken = envelope(self.ids, Cause::Malformed, numbers.track, number | OF_BROKEN);
            let payload = break_record(self.broken, &mut broken, payload, &mut self.text);
            self.broken += 1;
            self.log.append(at_ms, &broken, payload)?;
        }
        if self.random.chance(self.stale) {
            message.age(&mut self.random);
            let stale = envelope(self.ids, Cause::Stale, numbers.track, number | OF_STALE);
            let payload = write(&mut self.payload, &message)?;
            self.later.post(at_ms, stale, payload, &mut self.random);
        }
        if self.random.chance(self.orphans) && message.disown(self.ids, numbers) {
            let orphan = envelope(self.ids, Cause::Orphan, numbers.track | GHOST, number | OF_ORPHAN);
            let payload = write(&mut self.payload, &message)?;
            self.log.append(at_ms, &orphan, Some(payload))?;
        }
        Ok(())
    }

    /// Delivers what is due by `until_ms`.
    pub(super) fn deliver(&mut self, until_ms: i64) -> Result<()> {
        while let Some(message) = self.later.take(until_ms) {
            self.log.append(message.due_ms, &message.envelope, Some(&message.payload))?;
            self.later.recycle(message);
        }
        Ok(())
    }

    /// Delivers all that is still on its way, and ends the logs.
    pub(super) fn finish(mut self) -> Result<Summary> {
        self.deliver(i64::MAX)?;
        self.log.finish()
    }
}

fn write<'a, M: Message>(payload: &'a mut Vec<u8>, message: &M) -> Result<&'a str> {
    payload.clear();
    serde_json::to_writer(&mut *payload, message).context("writing a message")?;
    std::str::from_utf8(payload).context("writing a message")
}
