//! What the mapper's thread does: it gathers what it is asked, and asks the store once for all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::Result;
use hexflow_dataflows::rows::{axion_track_id, track_key};
use uuid::Uuid;

use super::mapper::{Arrival, Ask, Finds, Reply};
use super::store::{ControlStore, Mapped};
use crate::patience::Patience;

/// Tracks in one question, about.
const TRACKS: usize = 10_000;

/// The shortest pause between two looks for what is missing.
const LEAST_PAUSE: Duration = Duration::from_millis(50);

/// How long a missing track is asked for after a lookup has missed it last, as a multiple of the retry interval: the retries
/// of a stalled record are at most 32 intervals apart.
const KEPT_INTERVALS: u32 = 100;

/// The thread's state.
pub struct Thread {
    store: Box<dyn ControlStore>,
    patience: Patience,
    interval: Duration,
    /// Tracks that lookups missed, and when last.
    missing: BTreeMap<String, Instant>,
    finds: Option<Finds>,
    /// When to ask for them again.
    next_look: Option<Instant>,
    /// What was last said to be wrong with asking.
    said: String,
}

impl Thread {
    /// Asks `store`; what is missing again twice in each `interval`. Found rows go to `finds`; without it none is looked for.
    pub fn new(store: Box<dyn ControlStore>, interval: Duration, finds: Option<Finds>) -> Self {
        let patience = Patience::new(store.name().to_owned(), interval);
        Thread { store, patience, interval, missing: BTreeMap::new(), finds, next_look: None, said: String::new() }
    }

    /// Answers until nobody can ask any more.
    pub fn run(mut self, asked: &Receiver<Ask>) -> Result<()> {
        loop {
            let first = match self.next_look {
                None => asked.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(next) => asked.recv_timeout(next.saturating_duration_since(Instant::now())),
            };
            if matches!(first, Err(RecvTimeoutError::Disconnected)) {
                return Ok(());
            }
            let mut settle = Vec::new();
            let mut tracks = 0;
            let mut next = first.ok();
            while let Some(ask) = next.take() {
                match ask {
                    Ask::Settle { tracks: of_one, ticket, reply } => {
                        tracks += of_one.len();
                        settle.push((of_one, ticket, reply));
                    }
                    Ask::Missing(track) => self.miss(track),
                }
                next = if tracks < TRACKS { asked.try_recv().ok() } else { None };
            }
            self.settle(settle)?;
            if self.next_look.is_some_and(|next| next <= Instant::now()) {
                self.look();
            }
        }
    }

    /// Has the rows of all tracks settled in one question, and answers each who asked.
    fn settle(&mut self, asks: Vec<(Vec<String>, u64, Arc<Reply>)>) -> Result<()> {
        let mut proposed: Vec<Mapped> =
            asks.iter().flat_map(|(tracks, ..)| tracks).map(|track| proposal(track)).collect();
        // In order, so that two who make the same rows do not wait for each other.
        proposed.sort_unstable();
        proposed.dedup();
        if proposed.is_empty() {
            return Ok(());
        }
        let store = &mut self.store;
        let rows = self.patience.until_answered("settle mapping rows", |_| store.settle(&proposed))?;
        let rows: BTreeMap<String, Uuid> = rows.into_iter().collect();
        for (tracks, ticket, reply) in asks {
            let of_these = tracks.iter().filter_map(|track| Some((track_key(track), rows.get(track)?.as_u128())));
            // A worker that is gone needs no word.
            let _ = reply.sender.send((ticket, of_these.collect()));
            let _ = reply.activator.activate();
        }
        self.missing.retain(|track, _| !rows.contains_key(track));
        Ok(())
    }

    fn miss(&mut self, track: String) {
        let now = Instant::now();
        if self.finds.is_some() && self.missing.insert(track, now).is_none() {
            self.next_look = Some(now); // at once, with the others that are missed now
        }
    }

    /// Asks for what is missing; what is not there is asked for again, twice in each interval.
    fn look(&mut self) {
        let now = Instant::now();
        let kept = self.interval.saturating_mul(KEPT_INTERVALS);
        self.missing.retain(|_, when| now.duration_since(*when) < kept);
        self.next_look = (!self.missing.is_empty()).then(|| now + (self.interval / 2).max(LEAST_PAUSE));
        let tracks: Vec<String> = self.missing.keys().cloned().collect();
        for tracks in tracks.chunks(TRACKS) {
            match self.store.find(tracks) {
                Ok(rows) => self.found(&rows),
                Err(failure) => {
                    // It is asked again, and a row that is wrong may be put right.
                    let said = format!("{:#}", failure.told_of("look for missing mapping rows", self.store.name()));
                    if said != self.said {
                        tracing::warn!("{said}");
                        self.said = said;
                    }
                    return;
                }
            }
        }
        self.said.clear();
    }

    fn found(&mut self, rows: &[Mapped]) {
        let Some(finds) = self.finds.as_ref().filter(|_| !rows.is_empty()) else { return };
        let found = rows.iter().map(|(track, axion)| (track_key(track), axion.as_u128())).collect();
        let _ = finds.rows.send(Arrival::Rows(found)); // a worker that is gone needs none
        finds.gate.pulse();
        for (track, _) in rows {
            self.missing.remove(track);
        }
    }
}

fn proposal(track: &str) -> Mapped {
    (track.to_owned(), axion_track_id(track))
}
