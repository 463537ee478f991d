//! What was read and not archived yet, by partition and hour.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::Result;
use hexflow_dataflows::rows::partition_of_stream;
use hexflow_operators::FixedMap;

use super::hour::Hour;
use super::part::{Part, Sealed};

/// Where earlier objects ended: an hour and the last offset of one of its objects.
pub type Cuts = BTreeSet<(Hour, u64)>;

/// How much longer than others a partition is gathered whose earlier objects ended further on: it gets there as fast as it can
/// be read, unless its topic was made anew.
const CUT_PATIENCE: Duration = Duration::from_secs(60);

/// The partitions that are read.
#[derive(Debug, Default)]
pub struct Gathering {
    partitions: FixedMap<u32, Gathered>,
    held: usize,
}

/// What was gathered of one partition since its last roll.
#[derive(Debug)]
struct Gathered {
    hours: BTreeMap<Hour, Part>,
    sealed: Vec<Sealed>,
    cuts: Cuts,
    /// The offset behind the last that was taken.
    next: u64,
    since: Option<Instant>,
    held: usize,
}

/// What becomes durable at once of a partition; then all below `next` is.
#[derive(Debug)]
pub struct Rolled {
    /// The partition: see [`partition_of_stream`].
    pub stream: u32,
    /// The offset to commit.
    pub next: u64,
    /// The objects.
    pub sealed: Vec<Sealed>,
}

impl Gathering {
    /// Whether a partition was begun.
    pub fn has(&self, stream: u32) -> bool {
        self.partitions.contains_key(&stream)
    }

    /// Begins a partition at `next`. Where `cuts` says that an object ended it ends again: what is read once more after a
    /// crash becomes the same objects.
    pub fn begin(&mut self, stream: u32, next: u64, cuts: Cuts) {
        let fresh = Gathered { hours: BTreeMap::new(), sealed: Vec::new(), cuts, next, since: None, held: 0 };
        self.partitions.insert(stream, fresh);
    }

    /// Forgets a partition: somebody else reads it from its committed offset.
    pub fn forget(&mut self, stream: u32) {
        self.held -= self.partitions.remove(&stream).map_or(0, |gathered| gathered.held);
    }

    /// Takes a message of a partition that was begun; `write` appends its line.
    pub fn take(&mut self, stream: u32, offset: u64, ts: i64, write: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        let Some(gathered) = self.partitions.get_mut(&stream) else { return Ok(()) };
        self.held -= gathered.held;
        gathered.take(stream, offset, ts, write)?;
        self.held += gathered.held;
        Ok(())
    }

    /// The bytes that are kept in memory.
    pub fn held(&self) -> usize {
        self.held
    }

    /// The partition that most is kept of; one that has come to where earlier objects ended, if there is any.
    pub fn fullest(&self) -> Option<u32> {
        let some = self.partitions.iter().filter(|(_, gathered)| gathered.since.is_some());
        let fullest = some.max_by_key(|(stream, gathered)| (!gathered.has_cut_ahead(), gathered.held, **stream));
        fullest.map(|(stream, _)| *stream)
    }

    /// The partitions whose first message has waited for so long, and that have come to where earlier objects ended: if they
    /// ended now, they would not be the same.
    pub fn due(&self, interval: Duration) -> Vec<u32> {
        let is_due = |gathered: &Gathered| {
            let longer = if gathered.has_cut_ahead() { CUT_PATIENCE } else { Duration::ZERO };
            gathered.since.is_some_and(|since| since.elapsed() >= interval + longer)
        };
        self.partitions.iter().filter(|(_, gathered)| is_due(gathered)).map(|(stream, _)| *stream).collect()
    }

    /// All that was gathered of a partition, which begins anew behind it.
    pub fn roll(&mut self, stream: u32) -> Result<Option<Rolled>> {
        let Some(gathered) = self.partitions.get_mut(&stream) else { return Ok(None) };
        self.held -= gathered.held; // which is another when all is packed
        gathered.seal_all(stream)?;
        (gathered.held, gathered.since) = (0, None);
        let next = gathered.next;
        gathered.cuts.retain(|(_, last)| *last >= next);
        Ok(Some(Rolled { stream, next, sealed: std::mem::take(&mut gathered.sealed) }))
    }
}

impl Gathered {
    fn has_cut_ahead(&self) -> bool {
        self.cuts.iter().any(|(_, last)| *last >= self.next)
    }

    fn take(&mut self, stream: u32, offset: u64, ts: i64, write: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        if offset < self.next && self.since.is_some() {
            self.seal_all(stream)?; // the topic was made anew, and these are other messages
        }
        let hour = Hour::of_ms(ts);
        let part = self.hours.entry(hour).or_insert_with(|| Part::new(offset, ts));
        self.held -= part.held();
        part.push(offset, ts, write)?;
        self.held += part.held();
        self.next = offset + 1;
        self.since.get_or_insert_with(Instant::now);
        if self.cuts.contains(&(hour, offset)) { self.seal(stream, hour) } else { Ok(()) }
    }

    fn seal(&mut self, stream: u32, hour: Hour) -> Result<()> {
        let Some(part) = self.hours.remove(&hour) else { return Ok(()) };
        let (topic, partition) = partition_of_stream(stream);
        self.held -= part.held();
        let sealed = part.seal(topic, partition, hour)?;
        self.held += sealed.object.1.len();
        self.sealed.push(sealed);
        Ok(())
    }

    fn seal_all(&mut self, stream: u32) -> Result<()> {
        let hours: Vec<Hour> = self.hours.keys().copied().collect();
        hours.into_iter().try_for_each(|hour| self.seal(stream, hour))
    }
}

#[cfg(test)]
mod tests {
    use hexflow_dataflows::messages::topic::Topic;
    use hexflow_dataflows::rows::stream_of;

    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    fn stream() -> u32 {
        stream_of(Topic::Movements, 3)
    }

    /// Takes the offsets of a range; every third is of the hour before.
    fn read(gathering: &mut Gathering, offsets: std::ops::Range<u64>) {
        for offset in offsets {
            let ts = if offset % 3 == 2 { HOUR_MS - 1 } else { HOUR_MS };
            let write = |line: &mut Vec<u8>| line.extend_from_slice(format!("line {offset}\n").as_bytes());
            gathering.take(stream(), offset, ts, write).unwrap();
        }
    }

    fn rolled(gathering: &mut Gathering) -> (u64, Vec<String>) {
        let rolled = gathering.roll(stream()).unwrap().unwrap();
        let mut names: Vec<_> = rolled.sealed.into_iter().map(|sealed| sealed.object.0).collect();
        names.sort();
        (rolled.next, names)
    }

    #[test]
    fn a_partition_has_an_object_an_hour_and_is_empty_afterwards() {
        let mut gathering = Gathering::default();
        gathering.begin(stream(), 5, Cuts::new());
        assert_eq!((gathering.fullest(), gathering.due(Duration::ZERO)), (None, vec![]));
        read(&mut gathering, 5..20);
        assert_eq!((gathering.fullest(), gathering.due(Duration::ZERO)), (Some(stream()), vec![stream()]));
        assert!(gathering.held() > 0 && gathering.due(Duration::from_secs(60)).is_empty());
        let (next, names) = rolled(&mut gathering);
        assert_eq!((next, names.len(), gathering.held(), gathering.fullest()), (20, 2, 0, None));
        read(&mut gathering, 20..21);
        gathering.forget(stream());
        assert_eq!((gathering.held(), gathering.has(stream())), (0, false));
    }

    #[test]
    fn what_is_read_again_becomes_the_same_objects() {
        let mut gathering = Gathering::default();
        gathering.begin(stream(), 0, Cuts::new());
        read(&mut gathering, 0..20);
        let (_, before) = rolled(&mut gathering);
        read(&mut gathering, 20..27);
        let (_, behind) = rolled(&mut gathering);
        // Nothing of it was committed, but all entries were written.
        let cuts = before.iter().chain(&behind).map(|name| {
            let range = super::super::range::Range::of_object_name(name).unwrap();
            (range.hour, range.last)
        });
        let mut again = Gathering::default();
        again.begin(stream(), 0, cuts.collect());
        read(&mut again, 0..26);
        assert!(again.due(Duration::ZERO).is_empty(), "an object that ended here would be another");
        assert_eq!(again.fullest(), Some(stream()), "memory is bounded all the same");
        read(&mut again, 26..40);
        assert_eq!(again.due(Duration::ZERO), [stream()]);
        let (next, names) = rolled(&mut again);
        assert_eq!((next, names.len()), (40, 6));
        assert!(before.iter().chain(&behind).all(|name| names.contains(name)), "{before:?} {behind:?} {names:?}");
    }

    #[test]
    fn a_topic_made_anew_does_not_mix_with_what_it_was() {
        let mut gathering = Gathering::default();
        gathering.begin(stream(), 0, Cuts::new());
        read(&mut gathering, 0..6);
        read(&mut gathering, 0..3);
        let (next, names) = rolled(&mut gathering);
        assert_eq!((next, names.len(), gathering.held()), (3, 4, 0));
    }
}
