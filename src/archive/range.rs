//! What an object of the archive holds, as its name and that of its entry in the manifest say.

use hexflow_dataflows::messages::topic::Topic;

use super::hour::Hour;

/// The folder of the manifest.
pub const MANIFEST: &str = "manifest";

/// What names of objects end in.
const OBJECT_ENDING: &str = ".jsonl.zst";

/// What names of entries end in.
const ENTRY_ENDING: &str = ".json";

/// Messages of one partition and hour: all that were read from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// Their topic.
    pub topic: Topic,
    /// Their partition.
    pub partition: u32,
    /// The lowest offset.
    pub first: u64,
    /// The highest offset.
    pub last: u64,
    /// The hour that their times lie in.
    pub hour: Hour,
    /// XXH3 of the object's bytes, 128 bits.
    pub hash: u128,
}

impl Range {
    /// The object's name below the archive's prefix. It holds the hash, so other content has another name.
    pub fn object_name(&self) -> String {
        let Range { topic, partition, first, last, hour, hash } = self;
        let (topic, day, hour) = (topic.name(), hour.day(), hour.hour_of_day());
        format!("topic={topic}/day={day}/hour={hour}/{partition}-{first:020}-{last:020}-{hash:032x}{OBJECT_ENDING}")
    }

    /// The entry's name below the archive's prefix. The last offset comes first, so that one listing finds all that reaches
    /// beyond a committed offset.
    pub fn entry_name(&self) -> String {
        let Range { topic, partition, first, last, hour, hash } = self;
        let folder = entries(*topic, *partition);
        format!("{folder}/{last:020}-{first:020}-{hour}-{hash:032x}{ENTRY_ENDING}")
    }

    /// What an object of that name holds, if it is one of an archive's.
    pub fn of_object_name(name: &str) -> Option<Range> {
        let [topic, day, hour, file] = parts(name)?;
        let (day, hour) = (day.strip_prefix("day=")?, hour.strip_prefix("hour=")?);
        let mut file = file.strip_suffix(OBJECT_ENDING)?.splitn(4, '-');
        let [partition, first, last, hash] = [file.next()?, file.next()?, file.next()?, file.next()?];
        let range = Range {
            topic: Topic::named(topic.strip_prefix("topic=")?)?,
            partition: partition.parse().ok()?,
            first: first.parse().ok()?,
            last: last.parse().ok()?,
            hour: format!("{day}T{hour}").parse().ok()?,
            hash: u128::from_str_radix(hash, 16).ok()?,
        };
        (range.object_name() == name).then_some(range)
    }

    /// What the object holds that an entry of that name is of, if it is one of a manifest's.
    pub fn of_entry_name(name: &str) -> Option<Range> {
        let [folder, topic, partition, file] = parts(name)?;
        let file = file.strip_suffix(ENTRY_ENDING).filter(|_| folder == MANIFEST)?;
        let (last, rest) = file.split_once('-')?;
        let (first, rest) = rest.split_once('-')?;
        let (hour, hash) = rest.rsplit_once('-')?;
        let range = Range {
            topic: Topic::named(topic.strip_prefix("topic=")?)?,
            partition: partition.strip_prefix("partition=")?.parse().ok()?,
            first: first.parse().ok()?,
            last: last.parse().ok()?,
            hour: hour.parse().ok()?,
            hash: u128::from_str_radix(hash, 16).ok()?,
        };
        (range.entry_name() == name).then_some(range)
    }
}

/// The four parts of a name.
fn parts(name: &str) -> Option<[&str; 4]> {
    let mut parts = name.split('/');
    let four = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(four)
}

/// The folder of a partition's entries.
pub fn entries(topic: Topic, partition: u32) -> String {
    format!("{MANIFEST}/topic={}/partition={partition}", topic.name())
}

/// What is less than the name of each of a partition's entries that reach to `offset`, and greater than that of all others.
pub fn reaching(topic: Topic, partition: u32, offset: u64) -> String {
    format!("{}/{offset:020}", entries(topic, partition))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range() -> Range {
        let hour = "2026-11-21T13".parse().unwrap();
        Range { topic: Topic::CameraDetections, partition: 3, first: 7, last: 4_711, hour, hash: 0xabc }
    }

    #[test]
    fn names_say_all_of_it() {
        let range = range();
        let (object, entry) = (range.object_name(), range.entry_name());
        assert_eq!(Range::of_object_name(&object), Some(range), "{object}");
        assert_eq!(Range::of_entry_name(&entry), Some(range), "{entry}");
        assert!(object.starts_with("topic=camera-detections/day=2026-11-21/hour=13/3-"), "{object}");
        for name in [&object, &entry] {
            for other in
                [name.replace("camera", "cam"), format!("late/{name}"), name.replace("3-", "x-"), name.to_uppercase()]
            {
                let read = (Range::of_object_name(&other), Range::of_entry_name(&other));
                assert!(read == (None, None), "{other}");
            }
        }
    }

    #[test]
    fn a_listing_behind_an_offset_has_what_reaches_it() {
        let range = range();
        let behind = |offset| range.entry_name() > reaching(range.topic, range.partition, offset);
        assert!(behind(0) && behind(4_711) && !behind(4_712) && !behind(u64::MAX));
    }
}
