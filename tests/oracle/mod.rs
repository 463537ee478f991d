//! What must come of a dump, computed in the plainest way there is: all records sorted, one after the other, into maps.
//!
//! It shares no code with the pipeline, so that a mistake would have to be made twice. Tracks go first, since only they
//! make mappings; then of each partition goes the longest prefix that holds nothing malformed and no orphan, which is
//! where a pipeline ends up in whatever order it meets the records.

pub(crate) mod alerts;
pub(crate) mod arrivals;
pub(crate) mod cameras;
mod expected;
mod message;
mod outgoing;
pub(crate) mod queries;
pub(crate) mod sensors;
pub(crate) mod settled;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::support::record::{DETECTIONS, FRAMES, Record, TRACKS};
use message::{Item, Verdict};

/// What a summary counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) records: u64,
    pub(crate) upserts: u64,
    pub(crate) duplicates: u64,
    pub(crate) stale: u64,
    pub(crate) malformed: u64,
    pub(crate) stalled: u64,
    pub(crate) ignored: u64,
    /// Topic, partition and offset at which partitions stand still.
    pub(crate) stalls: Vec<(String, u32, u64)>,
}

impl Counts {
    /// The counts by their names in a summary.
    pub(crate) fn named(&self) -> BTreeMap<&'static str, u64> {
        BTreeMap::from([
            ("records", self.records),
            ("upserts", self.upserts),
            ("duplicates", self.duplicates),
            ("stale", self.stale),
            ("malformed", self.malformed),
            ("stalled", self.stalled),
            ("ignored", self.ignored),
        ])
    }
}

/// The version of a row that won so far.
struct Version {
    updated_ns: i128,
    offset: u64,
    item: Item,
}

/// A store as it must be; replays go into it one after the other.
#[derive(Default)]
pub(crate) struct Oracle {
    /// Whether malformed records are set aside, instead of stalling their partition.
    dead_letter: bool,
    standing: BTreeMap<String, String>,
    mapped: BTreeSet<String>,
    versions: HashMap<(&'static str, String), Version>,
    /// Each upsert, in the order of its partition, with the request that caused it.
    upserts: Vec<Item>,
}

impl Oracle {
    /// A fresh store after one replay, and what that counted.
    pub(crate) fn of(records: &[Record]) -> (Oracle, Counts) {
        let mut oracle = Oracle::default();
        let counts = oracle.replay(records);
        (oracle, counts)
    }

    /// A fresh store whose pipeline sets malformed records aside.
    pub(crate) fn setting_aside() -> Oracle {
        Oracle { dead_letter: true, ..Oracle::default() }
    }

    /// A mapping row that stands before the replay.
    pub(crate) fn put_mapping(&mut self, citylens: &str, axion: &str) {
        self.standing.insert(citylens.to_owned(), axion.to_owned());
    }

    /// Replays records in addition to what is stored.
    pub(crate) fn replay(&mut self, records: &[Record]) -> Counts {
        let mut counts = Counts::default();
        for topic in [TRACKS, FRAMES, DETECTIONS] {
            let mut partitions: BTreeMap<u32, Vec<&Record>> = BTreeMap::new();
            for record in records.iter().filter(|record| record.topic == topic) {
                partitions.entry(record.partition).or_default().push(record);
            }
            for mut partition in partitions.into_values() {
                partition.sort_by_key(|record| record.offset);
                self.replay_partition(&partition, &mut counts);
            }
        }
        counts.stalls.sort();
        counts
    }

    fn replay_partition(&mut self, partition: &[&Record], counts: &mut Counts) {
        counts.records += partition.len() as u64;
        for (n, record) in partition.iter().enumerate() {
            let goes_on = match message::read(record) {
                Verdict::Ignored => {
                    counts.ignored += 1;
                    true
                }
                Verdict::Malformed => {
                    counts.malformed += 1;
                    self.dead_letter
                }
                Verdict::Valid(item) => self.apply(record.offset, *item, counts),
            };
            if !goes_on {
                counts.stalled += (partition.len() - n) as u64;
                counts.stalls.push((record.topic.clone(), record.partition, record.offset));
                return;
            }
        }
    }

    /// Applies a record; false when it is an orphan.
    fn apply(&mut self, offset: u64, item: Item, counts: &mut Counts) -> bool {
        if item.entity == "track" {
            self.mapped.insert(item.track.clone());
        } else if !self.mapped.contains(&item.track) && !self.standing.contains_key(&item.track) {
            return false;
        }
        let key = (item.entity, item.id.clone());
        if let Some(current) = self.versions.get(&key) {
            let same_version = item.updated_ns == current.updated_ns;
            if same_version && item.has_content_of(&current.item) {
                counts.duplicates += 1;
                return true;
            }
            if item.updated_ns < current.updated_ns || (same_version && offset <= current.offset) {
                counts.stale += 1;
                return true;
            }
        }
        counts.upserts += 1;
        self.upserts.push(item.clone());
        self.versions.insert(key, Version { updated_ns: item.updated_ns, offset, item });
        true
    }
}
