//! What is in flight of each partition, and what of it may be committed.
//!
//! ```text
//!   partition 3:   committed | durable | in flight, by epochs | next to be read
//!                                          ^ a stall: whatever is behind it was dropped, so every epoch's share of the
//!                                            partition is cut here at once; reading goes on from here when it can
//! ```
//! A stall is known before the frontier passes its epoch, so what an epoch is cut to is always known before it is
//! committed. What was cut is never put back: records behind a stall come again in later epochs.

mod standing;
#[cfg(test)]
mod tests;

pub use standing::Orders;

use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use hexflow_operators::FixedMap;

use crate::progress::Progress;
use crate::telemetry::metrics;

/// A partition, as `stream_of` names it.
type Stream = u32;

/// The book of one process.
#[derive(Debug, Default)]
pub struct Ledger {
    partitions: FixedMap<Stream, Reading>,
    /// The records gathered for the next epoch: of each partition the offset behind the last.
    gathered: FixedMap<Stream, End>,
    epochs: VecDeque<Epoch>,
    /// The last that was dealt.
    dealt: u64,
    /// Where the workers hold back partitions, also such as are no longer ours: until the record there has come again and
    /// gone on, they drop what is behind it.
    held: FixedMap<Stream, u64>,
}

/// How far reading, storing and committing one partition has come. Offsets are those of the next record.
#[derive(Debug, Default)]
struct Reading {
    /// The next to be gathered, once one has come.
    next: Option<u64>,
    /// Where reading began when the partition was assigned.
    began: Option<u64>,
    /// Above the highest ever gathered.
    seen: u64,
    /// Where it stands still; it is to be read again from here.
    halted: Option<u64>,
    /// The first epoch that may hold what was read again last: what earlier ones tell of it is no news.
    again: u64,
    /// All below is durable.
    durable: u64,
    /// The time of the last durable record, ms since the epoch.
    durable_ms: Option<i64>,
    /// What the brokers have acknowledged.
    committed: u64,
}

/// An epoch in flight.
#[derive(Debug)]
struct Epoch {
    time: u64,
    dealt: Instant,
    /// Of each of its partitions the offset behind the last record that may be committed with it.
    ends: FixedMap<Stream, End>,
}

/// Where a partition's part of an epoch ends.
#[derive(Clone, Copy, Debug)]
struct End {
    /// Behind the last record.
    offset: u64,
    /// The record's time, ms since the epoch; unknown once the part was cut.
    ms: Option<i64>,
}

/// How far a partition has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The partition.
    pub stream: Stream,
    /// What the brokers have acknowledged; 0 if nothing yet.
    pub committed: u64,
    /// The time of the last durable record, ms since the epoch.
    pub durable_ms: Option<i64>,
}

/// What is to become of a record that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It goes on, for the first time.
    First,
    /// It goes on once more.
    Again,
    /// It is left out: its partition stands still or is no longer ours.
    Not,
}

impl Ledger {
    /// Partitions are ours from now on.
    pub fn assign(&mut self, streams: impl IntoIterator<Item = Stream>) {
        self.partitions.extend(streams.into_iter().map(|stream| (stream, Reading::default())));
    }

    /// Partitions are no longer ours: what is in flight of them is forgotten, so that it is never committed.
    pub fn revoke(&mut self, streams: impl IntoIterator<Item = Stream>) {
        for stream in streams {
            self.partitions.remove(&stream);
            self.cut(stream, 0);
        }
    }

    /// The partitions that are ours.
    pub fn ours(&self) -> impl Iterator<Item = Stream> {
        self.partitions.keys().copied()
    }

    /// Whether a partition is ours.
    pub fn is_ours(&self, stream: Stream) -> bool {
        self.partitions.contains_key(&stream)
    }

    /// The partitions that are ours and do not stand still.
    pub fn going(&self) -> impl Iterator<Item = Stream> {
        self.partitions.iter().filter(|(_, reading)| reading.halted.is_none()).map(|(stream, _)| *stream)
    }

    /// A record was read, which is of the time `ms` since the epoch.
    pub fn take(&mut self, stream: Stream, offset: u64, ms: Option<i64>) -> Taken {
        let Some(reading) = self.partitions.get_mut(&stream).filter(|reading| reading.halted.is_none()) else {
            return Taken::Not;
        };
        if reading.began.is_none()
            && let Some(&stall) = self.held.get(&stream).filter(|stall| **stall < offset)
        {
            // Another process has got over it while it had the partition; our workers have to see that too.
            (reading.began, reading.halted) = (Some(0), Some(stall));
            return Taken::Not;
        }
        let first = offset >= reading.seen;
        reading.began.get_or_insert(offset);
        reading.next = Some(offset + 1);
        reading.seen = reading.seen.max(offset + 1);
        self.gathered.insert(stream, End { offset: offset + 1, ms });
        if first { Taken::First } else { Taken::Again }
    }

    /// What was gathered was dealt as the epoch `time`.
    pub fn deal(&mut self, time: u64) {
        self.dealt = time;
        self.epochs.push_back(Epoch { time, dealt: Instant::now(), ends: std::mem::take(&mut self.gathered) });
    }

    /// The partitions that are ours, and how far each has come.
    pub fn settled(&self) -> Vec<Settled> {
        let settled = |(&stream, reading): (&Stream, &Reading)| {
            let &Reading { committed, durable_ms, .. } = reading;
            Settled { stream, committed, durable_ms }
        };
        self.partitions.iter().map(settled).collect()
    }

    /// Tells how far behind the oldest epoch in flight is.
    pub fn observe(&self, progress: &Progress) {
        let oldest = self.epochs.front();
        progress.oldest.store(oldest.map_or(0, |epoch| epoch.time), Relaxed);
        let metrics = metrics();
        metrics.frontier_lag.set(oldest.map_or(0.0, |epoch| epoch.dealt.elapsed().as_secs_f64()));
        metrics.epochs_in_flight.set(self.epochs.len().try_into().unwrap_or(i64::MAX));
        metrics.partitions.set(self.partitions.len().try_into().unwrap_or(i64::MAX));
    }

    /// Epochs in flight.
    pub fn in_flight(&self) -> usize {
        self.epochs.len()
    }

    /// All epochs below `frontier` are durable in every sink; without one, all are.
    pub fn settle(&mut self, frontier: Option<u64>) {
        while let Some(epoch) = self.epochs.pop_front_if(|epoch| frontier.is_none_or(|frontier| epoch.time < frontier))
        {
            for (stream, end) in epoch.ends {
                if let Some(reading) = self.partitions.get_mut(&stream) {
                    reading.durable = reading.durable.max(end.offset);
                    reading.durable_ms = end.ms.or(reading.durable_ms);
                }
            }
        }
    }

    /// What may be committed and is not yet, of all partitions or of some.
    pub fn to_commit(&self, of: Option<&[Stream]>) -> Vec<(Stream, u64)> {
        let asked = |stream| of.is_none_or(|of| of.contains(stream));
        let open =
            self.partitions.iter().filter(|(stream, reading)| asked(stream) && reading.durable > reading.committed);
        open.map(|(stream, reading)| (*stream, reading.durable)).collect()
    }

    /// The brokers have acknowledged an offset.
    pub fn committed(&mut self, stream: Stream, offset: u64) {
        if let Some(reading) = self.partitions.get_mut(&stream) {
            reading.committed = reading.committed.max(offset);
        }
    }
}
