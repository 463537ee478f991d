//! A hash table that holds little besides what is put into it: slots of 32 bytes, 67% to 88% of them full.
//!
//! As in a Swiss table each slot has a byte of the key, its tag, in an array apart; sixteen of them, a group, are compared
//! at once. Two things differ:
//!
//! - The number of groups is any number, so a table grows by a quarter where powers of two would make it double. A key's home
//!   is its own place among all keys, scaled to the groups. So groups are in the order of keys at any size, and a table is
//!   rebuilt in one walk through the old and the new memory.
//! - Slots are freed only in a sweep of the whole table, which closes the gaps. There are no tombstones, and a search ends at
//!   the first group with a free slot.
//!
//! ```text
//!   tags    [ 7a .. 00 1f ] [ .. ]    home = place * groups / 2^64; where it is full, the next one, around the end
//!   slots   [ s0 .. s15   ] [ .. ]    slot = [ place | 32 bits more of the key, 32 of the caller's | the caller's | .. ]
//! ```

/// Slots in a group.
const LANES: usize = 16;

/// A bit for each of them.
const EVERY_LANE: u64 = 0x8888_8888_8888_8888;

/// Groups in a chunk: just below 32 KiB. Allocators have a class of that size, and some put a full 32 KiB into the next.
const CHUNK: usize = 63;

/// Slots that may be full of those in a group, on average: at more, searches get long.
const FULL_LANES: usize = 14;

/// Sixteen tags: of a full slot 0x80 and seven bits of the key, of a free one zero. Lanes are dealt to the two words in
/// turn, the even ones to the second, so that one word of a bit every four tells of all sixteen.
type Group = [u64; 2];

/// The highest bit of each byte.
const HIGHEST_BITS: u64 = 0x8080_8080_8080_8080;

/// The lowest bit of each byte.
const LOWEST_BITS: u64 = 0x0101_0101_0101_0101;

/// 32 bytes. The first word and the upper half of the second are the key's; the rest is the caller's.
pub(crate) type Slot = [u64; 4];

/// What a table knows of a key. Which place it has does not depend on the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// Where it lies among all keys; uniform, or the table is slow.
    pub(crate) place: u64,
    /// 32 bits more that tell it from others.
    pub(crate) rest: u32,
    /// Another seven; what is above them is ignored.
    pub(crate) tag: u8,
}

impl Key {
    fn stored_tag(self) -> u64 {
        u64::from(self.tag | 0x80)
    }
}

/// The table; see the module.
pub(crate) struct Table {
    tags: Vec<Group>,
    /// The slots of [`CHUNK`] groups each; the last has those of what groups remain. Tables grow and shrink all the time, and
    /// blocks that mostly are of one size are taken up again at once where arrays of all sizes would lie about.
    slots: Vec<Box<[[Slot; LANES]]>>,
    len: usize,
    /// By how many 1024ths of its size the table grows.
    step: usize,
}

impl Table {
    /// An empty table. It grows by `step` 1024ths: tables of different steps come to grow at different times.
    pub(crate) fn new(step: usize) -> Self {
        let mut table = Table::of_groups(1, step);
        table.extend();
        table
    }

    fn of_groups(groups: usize, step: usize) -> Self {
        Table { tags: vec![[0; 2]; groups], slots: Vec::with_capacity(groups.div_ceil(CHUNK)), len: 0, step }
    }

    /// Adds the next chunk.
    fn extend(&mut self) {
        let groups = (self.tags.len() - self.slots.len() * CHUNK).min(CHUNK);
        self.slots.push(vec![[[0; 4]; LANES]; groups].into_boxed_slice());
    }

    /// The number of slots that are full.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Heap memory held, bytes.
    pub(crate) fn bytes(&self) -> usize {
        let slots = self.tags.len() * LANES * size_of::<Slot>();
        self.tags.capacity() * size_of::<Group>() + slots + self.slots.capacity() * size_of::<Box<[Slot]>>()
    }

    /// The slot of `key`, or `None`.
    #[inline]
    pub(crate) fn find(&mut self, key: Key) -> Option<&mut Slot> {
        let tag = key.stored_tag();
        let mut group = self.home(key.place);
        loop {
            let tags = self.tags[group];
            let mut lanes = holding(tags, tag);
            while lanes != 0 {
                let lane = first(lanes);
                let slot = &self.slots[group / CHUNK][group % CHUNK][lane];
                if slot[0] == key.place && slot[1] >> 32 == u64::from(key.rest) {
                    return Some(&mut self.slots[group / CHUNK][group % CHUNK][lane]);
                }
                lanes &= lanes - 1;
            }
            if free(tags) != 0 {
                return None;
            }
            group = self.after(group);
        }
    }

    /// Adds a key that the table does not hold, with the caller's three words; of the first, only the lower half is.
    pub(crate) fn insert(&mut self, key: Key, [low, words @ ..]: [u64; 3]) {
        if self.len >= self.tags.len() * FULL_LANES {
            let groups = self.tags.len();
            self.rebuild(groups + (groups * self.step / 1024).max(1));
        }
        let second = u64::from(key.rest) << 32 | low & u64::from(u32::MAX);
        self.put(key.stored_tag(), [key.place, second, words[0], words[1]]);
    }

    /// Loads what a search for `key` will, and waits for none of it. Returns a word of it, which the caller must use.
    #[inline]
    pub(crate) fn touch(&self, key: Key) -> u64 {
        let group = self.home(key.place);
        let tags = self.tags[group];
        let held = holding(tags, key.stored_tag());
        // A key that is new will be written to the first free slot.
        let lanes = if held == 0 { free(tags) } else { held };
        self.slots[group / CHUNK][group % CHUNK][first(lanes | 1 << 63)][0]
    }

    /// Forgets the slots that `keep` refuses, in place, and gives memory back if few are left.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Slot) -> bool) {
        // Up to the first group that is not full there may be slots that wrapped around the end. They are looked at again
        // when the last groups have been, for which they may have to go back.
        let wrapped_to = self.tags.iter().position(|&tags| free(tags) != 0).unwrap_or(0);
        (0..self.tags.len()).for_each(|group| self.settle(group, &keep));
        (0..=wrapped_to).for_each(|group| self.settle(group, |_| true));

        // Emptier than growing leaves it: then to the middle between the emptiest and the fullest.
        let groups = self.tags.len();
        if self.len * (1024 + self.step) < groups * FULL_LANES * 960 {
            let fitting = (self.len * (1024 + self.step / 2)).div_ceil(FULL_LANES * 1024).max(1);
            if fitting < groups {
                self.rebuild(fitting);
            }
        }
    }

    /// Forgets what `keep` refuses of a group, and moves closer to their homes the slots that were pushed here from others.
    ///
    /// A slot is found only if all groups between its home and it are full. A group that gets room may come between, so all
    /// that lie beyond must be settled after it: hence a table is settled from its first group to its last.
    fn settle(&mut self, group: usize, keep: impl Fn(&Slot) -> bool) {
        let tags = self.tags[group];
        for lane in lanes_of(full(tags)) {
            let slot = &self.slots[group / CHUNK][group % CHUNK][lane];
            let kept = keep(slot);
            if !kept || self.home(slot[0]) != group {
                let slot = *slot;
                self.tags[group][1 - lane % 2] &= !(0xff << (lane / 2 * 8));
                self.len -= 1;
                if kept {
                    self.put(tag_of(tags, lane), slot);
                }
            }
        }
    }

    /// Changes the caller's words of every full slot.
    pub(crate) fn each_mut(&mut self, mut change: impl FnMut(&mut Slot)) {
        for (slots, &tags) in self.slots.iter_mut().flatten().zip(&self.tags) {
            lanes_of(full(tags)).for_each(|lane| change(&mut slots[lane]));
        }
    }

    /// Makes it a table of `groups`. Of the old chunks each is freed when it has been read, and of the new each is allocated
    /// when it is written: so both are seldom in memory as wholes.
    fn rebuild(&mut self, groups: usize) {
        let old = std::mem::replace(self, Table::of_groups(groups, self.step));
        for (chunk, tags) in old.slots.into_iter().zip(old.tags.chunks(CHUNK)) {
            for (slots, &tags) in chunk.iter().zip(tags) {
                for lane in lanes_of(full(tags)) {
                    self.put(tag_of(tags, lane), slots[lane]);
                }
            }
        }
        while self.slots.len() * CHUNK < self.tags.len() {
            self.extend();
        }
    }

    /// Puts a slot into the first free one from its home on; there is one.
    #[inline]
    fn put(&mut self, tag: u64, slot: Slot) {
        let mut group = self.home(slot[0]);
        loop {
            let free = free(self.tags[group]);
            if free != 0 {
                let lane = first(free);
                self.tags[group][1 - lane % 2] |= tag << (lane / 2 * 8);
                while self.slots.len() <= group / CHUNK {
                    self.extend();
                }
                self.slots[group / CHUNK][group % CHUNK][lane] = slot;
                self.len += 1;
                return;
            }
            group = self.after(group);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "below the number of groups")]
    fn home(&self, place: u64) -> usize {
        ((u128::from(place) * self.tags.len() as u128) >> 64) as usize
    }

    fn after(&self, group: usize) -> usize {
        if group + 1 == self.tags.len() { 0 } else { group + 1 }
    }
}

/// A bit for each lane that may hold `tag`. Some bits more are possible, above a lane that does hold it.
#[inline]
fn holding(tags: Group, tag: u64) -> u64 {
    let [odd, even] = tags.map(|word| {
        let differing = word ^ (tag * LOWEST_BITS);
        differing.wrapping_sub(LOWEST_BITS) & !differing & HIGHEST_BITS
    });
    odd | even >> 4
}

/// A bit for each full lane.
#[inline]
fn full(tags: Group) -> u64 {
    let [odd, even] = tags.map(|word| word & HIGHEST_BITS);
    odd | even >> 4
}

/// A bit for each free lane.
#[inline]
fn free(tags: Group) -> u64 {
    full(tags) ^ EVERY_LANE
}

/// The lanes of some, in order.
fn lanes_of(mut lanes: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lane = (lanes != 0).then(|| first(lanes));
        lanes &= lanes.wrapping_sub(1);
        lane
    })
}

/// The first lane of some.
#[inline]
fn first(lanes: u64) -> usize {
    lanes.trailing_zeros() as usize / 4
}

/// The tag of a lane; zero if it is free.
#[inline]
fn tag_of(tags: Group, lane: usize) -> u64 {
    tags[1 - lane % 2] >> (lane / 2 * 8) & 0xff
}
