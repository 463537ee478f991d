//! A shard of the versions by key: a table of versions as 32-byte entries, and the event time their ages are counted from.
//!
//! ```text
//!   word 0   bits 0..64 of the key: its place
//!   word 1   bits 64..96 of the key | the lower half of the content's hash
//!   word 2   order
//!   word 3   updated_at, 50 bits | when last seen, 14 bits: ticks since the shard's origin
//! ```
//!
//! Of the other 32 bits of the key, eight choose the shard: 104 bits tell keys apart. At 50 million keys the chance that
//! any two are taken for one is below 2^-53.

use crate::dense::{Key, Slot, Table};
use crate::versions::Version;

/// Shards; as many as the key's highest eight bits can name.
pub(crate) const SHARDS: usize = 256;

/// Ticks in a window, at most.
pub(crate) const TICKS_PER_WINDOW: i64 = 1024;

/// Bits of when a key was last seen: sixteen windows.
const SEEN_BITS: u32 = 14;

/// The last tick that an entry can name.
const LAST_TICK: u64 = (1 << SEEN_BITS) - 1;

/// What `updated_at` is kept within, ms: the years -15,800 to 19,800, so all that a calendar of four-digit years can say.
const LAST_MS: i64 = (1 << (63 - SEEN_BITS)) - 1;

/// The shard of a key.
pub(crate) fn shard_of(key: u128) -> usize {
    (key >> 120) as usize % SHARDS
}

/// What a shard's table knows of a key.
#[expect(clippy::cast_possible_truncation, reason = "parts of the key")]
pub(crate) fn parts_of(key: u128) -> Key {
    Key { place: key as u64, rest: (key >> 64) as u32, tag: (key >> 96) as u8 }
}

/// A version as it is kept, and when its key was last seen.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) updated_at: i64,
    pub(crate) order: u64,
    pub(crate) content: u64,
    /// Ticks since the shard's origin.
    pub(crate) seen: u64,
}

impl Entry {
    /// Of the content's hash half is kept: it only tells versions apart that are equal in all else.
    pub(crate) fn new(version: Version, seen: u64) -> Self {
        let Version { updated_at, order, content } = version;
        let updated_at = updated_at.clamp(-LAST_MS, LAST_MS);
        Entry { updated_at, order, content: content & u64::from(u32::MAX), seen }
    }

    pub(crate) fn of(slot: &Slot) -> Self {
        let &[_, second, order, time] = slot;
        let updated_at = time.cast_signed() >> SEEN_BITS;
        Entry { updated_at, order, content: second & u64::from(u32::MAX), seen: time & LAST_TICK }
    }

    pub(crate) fn version(&self) -> Version {
        Version { updated_at: self.updated_at, order: self.order, content: self.content }
    }

    /// The words of a slot that are not the key's.
    pub(crate) fn words(&self) -> [u64; 3] {
        [self.content, self.order, self.updated_at.cast_unsigned() << SEEN_BITS | self.seen]
    }

    pub(crate) fn write(&self, slot: &mut Slot) {
        let [content, order, time] = self.words();
        *slot = [slot[0], slot[1] & !u64::from(u32::MAX) | content, order, time];
    }
}

/// A shard.
pub(crate) struct Shard {
    pub(crate) table: Table,
    /// The tick that entries count from. None is seen before it, but what is long past the window.
    origin: i64,
}

impl Shard {
    /// Shards grow by 20% to 30%: so at different times, since keys come to all of them equally.
    pub(crate) fn new(shard: usize) -> Self {
        Shard { table: Table::new(205 + shard * 102 / SHARDS), origin: i64::MIN }
    }

    /// What an entry seen at `tick` has to say.
    #[inline]
    pub(crate) fn seen_at(&mut self, tick: i64) -> u64 {
        let seen = tick.saturating_sub(self.origin).max(0).cast_unsigned();
        if seen <= LAST_TICK { seen } else { self.move_origin(tick) }
    }

    /// Moves the origin to a window and more before `tick`, and says what an entry seen then has to say. What was seen
    /// before that is past its window once event time comes to `tick`, and of no importance is how far.
    #[cold]
    fn move_origin(&mut self, tick: i64) -> u64 {
        let origin = tick.saturating_sub(TICKS_PER_WINDOW + 2);
        let moved = origin.saturating_sub(self.origin).cast_unsigned();
        self.table.each_mut(|slot| slot[3] -= (slot[3] & LAST_TICK).min(moved));
        self.origin = origin;
        tick.saturating_sub(origin).cast_unsigned()
    }

    /// Forgets what was last seen before `oldest`, a tick.
    pub(crate) fn forget_before(&mut self, oldest: i64) {
        let oldest = oldest.saturating_sub(self.origin).max(0).cast_unsigned();
        self.table.retain(|slot| slot[3] & LAST_TICK >= oldest);
    }
}
