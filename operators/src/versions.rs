//! The versions by key: which version of each row won, for the keys seen within a window of event time.
//!
//! This is the collection `(key, version)` at the present, as a hash table: an upsert needs no more of its history, and a
//! table answers at once where an arrangement would wait for a batch to be sealed. It makes repeats cheap; correctness
//! does not rest on it (a store compares versions itself), so what is past the window is forgotten.
//!
//! The table is cut into shards (`shard`), each a dense hash table (`dense`). Growing or sweeping one is short, and since
//! they grow at different times the whole is always about as full: 41 to 44 bytes a key, from a few hundred thousand on.

use std::hint::black_box;

use crate::shard::{Entry, SHARDS, Shard, TICKS_PER_WINDOW, parts_of, shard_of};
use crate::upsert::Candidate;

/// Sweeps of each shard in the time of a window: memory holds at most a twentieth more than a window's keys.
const SWEEPS_PER_WINDOW: i64 = 20;

/// Rows whose places are loaded ahead: so few that their pages are still at hand when they are judged.
const ROWS_AHEAD: usize = 64;

/// Keys in a table from which on it is worth loading ahead: fewer are in the processor's cache.
const LARGE: usize = 500_000;

/// Bits of an offset within [`Version::order`]: enough for 8.8e12 records a partition.
const OFFSET_BITS: u32 = 43;

/// A version of a row: what orders it among the versions of its key, and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// When the row was last changed, ms since the epoch.
    pub updated_at: i64,
    /// What orders versions of one `updated_at`: see [`order_of`].
    pub order: u64,
    /// A hash of the row's content.
    pub content: u64,
}

/// The order among versions of one millisecond: first what is finer than that, ns, then the offset.
///
/// ```
/// # use hexflow_operators::versions::order_of;
/// assert!(order_of(1, 0) > order_of(0, 1_000_000));
/// assert!(order_of(1, 8) > order_of(1, 7));
/// ```
pub fn order_of(sub_ns: u32, offset: u64) -> u64 {
    u64::from(sub_ns) << OFFSET_BITS | offset.min((1 << OFFSET_BITS) - 1)
}

/// What of an order is finer than a millisecond, ns.
pub fn sub_ns_of(order: u64) -> u32 {
    (order >> OFFSET_BITS) as u32
}

/// What a version is to the one that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the first or the newest: it wins.
    Upsert,
    /// Its content stands already.
    Duplicate,
    /// Something newer stands.
    Stale,
}

impl Version {
    /// The verdict on `self` where `standing` stands.
    ///
    /// Newer wins; of equal age with other content the later offset wins, and should two partitions carry the same key
    /// at the same offset, the greater content: so the winner is the same in whatever order they come.
    pub fn judge(&self, standing: &Version) -> Verdict {
        let age = |version: &Version| (version.updated_at, version.order >> OFFSET_BITS);
        if age(self) == age(standing) && self.content == standing.content {
            Verdict::Duplicate
        } else if (self.updated_at, self.order, self.content) > (standing.updated_at, standing.order, standing.content)
        {
            Verdict::Upsert
        } else {
            Verdict::Stale
        }
    }
}

/// The table. Event time is the caller's: it must not be far apart between records that come together.
pub struct Versions {
    shards: Vec<Shard>,
    window_ms: i64,
    /// The unit in which it is remembered when a key was last seen: a power of two of ms.
    tick_ms_log2: u32,
    now_ms: i64,
    sweep_at_ms: i64,
    next_shard: usize,
}

impl Versions {
    /// A table that remembers keys for `window_ms` of event time after they were last seen, and up to a 500th longer.
    pub fn new(window_ms: i64) -> Self {
        let window_ms = window_ms.max(1);
        Versions {
            shards: (0..SHARDS).map(Shard::new).collect(),
            window_ms,
            tick_ms_log2: (window_ms / TICKS_PER_WINDOW + 1).cast_unsigned().next_power_of_two().ilog2(),
            now_ms: i64::MIN,
            sweep_at_ms: i64::MIN,
            next_shard: 0,
        }
    }

    /// The number of keys remembered.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.table.len()).sum()
    }

    /// Whether no key is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Heap memory held, bytes.
    pub fn bytes(&self) -> usize {
        let tables: usize = self.shards.iter().map(|shard| shard.table.bytes()).sum();
        tables + self.shards.capacity() * size_of::<Shard>()
    }

    /// Tells the verdict on each of `batch`, in order, as [`Versions::judge`] would one by one; sooner if there are many.
    pub fn judge_all(&mut self, batch: &[Candidate], mut tell: impl FnMut(Verdict)) {
        // Keys are hashes, so one shard's share tells of all.
        let is_large = self.shards[0].table.len() * SHARDS >= LARGE;
        for some in batch.chunks(ROWS_AHEAD) {
            if is_large {
                self.touch(some);
            }
            some.iter().for_each(|row| tell(self.judge(row.key, row.version, row.event_ms)));
        }
    }

    /// Loads what judging will look at. Row by row each would wait for memory; here nothing depends on what was loaded
    /// before, so the processor waits for many at once.
    fn touch(&self, batch: &[Candidate]) {
        let words = batch.iter().map(|row| self.shards[shard_of(row.key)].table.touch(parts_of(row.key)));
        black_box(words.fold(0, |all, word| all ^ word));
    }

    /// The verdict on `version` of `key`, seen at event time `event_ms`; if it wins, it stands from now on.
    pub fn judge(&mut self, key: u128, version: Version, event_ms: i64) -> Verdict {
        let shard = &mut self.shards[shard_of(key)];
        let entry = Entry::new(version, shard.seen_at(event_ms >> self.tick_ms_log2));
        let Some(slot) = shard.table.find(parts_of(key)) else {
            shard.table.insert(parts_of(key), entry.words());
            return Verdict::Upsert;
        };
        let standing = Entry::of(slot);
        let seen = entry.seen.max(standing.seen);
        let verdict = entry.version().judge(&standing.version());
        if verdict == Verdict::Upsert {
            Entry { seen, ..entry }.write(slot);
        } else if seen > standing.seen {
            Entry { seen, ..standing }.write(slot);
        }
        verdict
    }

    /// Event time has come to `event_ms`: forgets, shard by shard, what was last seen more than a window before.
    pub fn advance(&mut self, event_ms: i64) {
        self.now_ms = self.now_ms.max(event_ms);
        let pause = (self.window_ms / (SHARDS as i64 * SWEEPS_PER_WINDOW)).max(1);
        if self.sweep_at_ms == i64::MIN {
            self.sweep_at_ms = self.now_ms.saturating_add(pause);
        }
        for _ in 0..SHARDS {
            if self.now_ms < self.sweep_at_ms {
                return;
            }
            let oldest = self.now_ms.saturating_sub(self.window_ms) >> self.tick_ms_log2;
            self.shards[self.next_shard].forget_before(oldest);
            self.next_shard = (self.next_shard + 1) % SHARDS;
            self.sweep_at_ms = self.sweep_at_ms.saturating_add(pause);
        }
        self.sweep_at_ms = self.now_ms.saturating_add(pause); // all were swept: time has jumped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::key_of;

    fn version(updated_at: i64, offset: u64, content: u64) -> Version {
        Version { updated_at, order: order_of(0, offset), content }
    }

    /// Whatever the order of arrival, the same version stands at the end: the greatest.
    #[test]
    fn the_winner_does_not_depend_on_the_order_of_arrival() {
        let all = [version(1, 9, 3), version(2, 3, 5), version(2, 4, 5), version(2, 4, 6), version(1, 2, 8)];
        let mut orders = vec![vec![]];
        for n in 0..all.len() {
            orders = orders
                .into_iter()
                .flat_map(|order: Vec<usize>| {
                    (0..=order.len()).map(move |at| [&order[..at], &[n], &order[at..]].concat())
                })
                .collect();
        }
        assert_eq!(orders.len(), 120);
        for order in orders {
            let mut standing: Option<Version> = None;
            for n in order {
                if standing.is_none_or(|standing| all[n].judge(&standing) == Verdict::Upsert) {
                    standing = Some(all[n]);
                }
            }
            assert_eq!(standing.unwrap().content, 6);
        }
    }

    #[test]
    fn repeats_and_older_versions_are_told_apart() {
        let mut versions = Versions::new(1_000);
        let key = key_of(b"cf-1");
        assert_eq!(versions.judge(key, version(10, 1, 1), 0), Verdict::Upsert);
        assert_eq!(versions.judge(key, version(10, 2, 1), 0), Verdict::Duplicate);
        assert_eq!(versions.judge(key, version(10, 3, 2), 0), Verdict::Upsert);
        assert_eq!(versions.judge(key, version(10, 1, 1), 0), Verdict::Stale);
        assert_eq!(versions.judge(key, version(9, 4, 7), 0), Verdict::Stale);
        assert_eq!(versions.judge(key_of(b"cf-2"), version(9, 4, 7), 0), Verdict::Upsert);
    }

    /// At a steady rate the number of keys stops growing once the window is full, however long it goes on.
    #[test]
    fn memory_is_bounded_by_the_window() {
        let mut versions = Versions::new(1_000_000);
        for now in 0..20_000i64 {
            for n in 0..4 {
                versions.judge(key_of(&(now * 4 + n).to_le_bytes()), version(now, 0, 0), now * 1_000);
            }
            versions.advance(now * 1_000);
            let full = usize::try_from(4 * (now + 1).min(1_060)).unwrap();
            assert!(versions.len() <= full + 8, "{} keys at {now}", versions.len());
        }
        assert!(versions.len() >= 4_000, "keys within the window stay");
    }

    #[test]
    fn a_jump_in_time_forgets_everything() {
        let mut versions = Versions::new(1_000);
        for n in 0..100u32 {
            versions.judge(key_of(&n.to_le_bytes()), version(0, 0, 0), 0);
        }
        versions.advance(0);
        versions.advance(1_000_000);
        assert!(versions.is_empty());
    }
}
