//! Changes of many epochs as one: of each table which rows go, and which stand at the end.

use std::collections::{BTreeMap, HashMap};

use super::changes::Change;
use crate::clickhouse::schema::Table;
use crate::tables::changes::Verb;

/// Bytes of a time or a number, the last of a key that a row is forgotten by.
const TIME_BYTES: usize = 8;

/// What becomes of one table.
pub struct Merged<'a> {
    /// The table.
    pub table: &'static Table,
    /// Of each key that was named which change was the last, and the row that it left.
    last: HashMap<&'a [u8], (usize, Option<&'a [u8]>)>,
    /// Of keys but for their last column, a time or a number: which changes made rows go, and up to when.
    upto: HashMap<&'a [u8], Vec<(usize, i64)>>,
}

/// The tables that changes are of, by name.
pub fn merge<'a>(changes: &[Change<'a>]) -> Vec<Merged<'a>> {
    let mut tables = BTreeMap::new();
    for (n, &Change { verb, table, key, row }) in changes.iter().enumerate() {
        let merged = || Merged { table, last: HashMap::new(), upto: HashMap::new() };
        let merged = tables.entry(table.name).or_insert_with(merged);
        match verb {
            Verb::Put => drop(merged.last.insert(key, (n, Some(row)))),
            Verb::Delete => drop(merged.last.insert(key, (n, None))),
            Verb::DeleteUpTo => {
                if let Some((of, time)) = cut(key) {
                    merged.upto.entry(of).or_default().push((n, time));
                }
            }
        }
    }
    tables.into_values().collect()
}

/// A key's last column, a time, and what is before it.
fn cut(key: &[u8]) -> Option<(&[u8], i64)> {
    let (of, time) = key.split_last_chunk::<TIME_BYTES>()?;
    Some((of, i64::from_le_bytes(*time)))
}

impl<'a> Merged<'a> {
    /// The keys that were named, sorted as the bytes are.
    pub fn keys(&self) -> Vec<&'a [u8]> {
        let mut keys: Vec<_> = self.last.keys().copied().collect();
        keys.sort_unstable();
        keys
    }

    /// What keys of rows begin with that go up to a time.
    pub fn prefixes(&self) -> Vec<&'a [u8]> {
        self.upto.keys().copied().collect()
    }

    /// Whether a row that stood before all changes goes by its time.
    pub fn is_over(&self, key: &[u8]) -> bool {
        self.is_over_by(key, 0)
    }

    /// The same of changes from the given one on.
    fn is_over_by(&self, key: &[u8], from: usize) -> bool {
        let Some((of, time)) = cut(key).filter(|_| !self.upto.is_empty()) else { return false };
        self.upto.get(of).is_some_and(|upto| upto.iter().any(|&(n, upto)| n >= from && time <= upto))
    }

    /// The rows that stand at the end, of those that were named.
    pub fn rows(&self) -> Vec<&'a [u8]> {
        let stands =
            |(key, &(n, row)): (&&'a [u8], &(usize, Option<&'a [u8]>))| row.filter(|_| !self.is_over_by(key, n));
        self.last.iter().filter_map(stands).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::changes::{Changes, read};
    use super::*;
    use crate::tables::changes::Changed;
    use crate::tables::windows::{EndedRow, ReadingRow, TravelerKey, TravelerRow};

    fn traveler(traveler_id: &str, samples: i64) -> TravelerRow<'_> {
        let (min_speed, max_speed, avg_speed) = Default::default();
        TravelerRow {
            sensor_id: 1,
            traveler_id,
            entered_at: 5,
            traveler_type: "car",
            left_at: 9,
            min_speed,
            max_speed,
            avg_speed,
            samples,
        }
    }

    fn reading(at: i64) -> ReadingRow<'static> {
        let (traveler_id, traveler_type) = ("ann", "car");
        let (x, y, source_ts, source_partition, source_offset) = Default::default();
        let sensor_id = 1;
        ReadingRow { sensor_id, traveler_id, at, traveler_type, x, y, source_ts, source_partition, source_offset }
    }

    #[test]
    fn the_last_change_of_a_key_stands() {
        let mut changes = Changes::default();
        let gone = |traveler_id| TravelerKey { sensor_id: 1, traveler_id, entered_at: 5 };
        changes.put(&traveler("ann", 1));
        changes.put(&traveler("bob", 1));
        changes.delete(&gone("ann"));
        changes.delete(&gone("eve"));
        changes.put(&traveler("bob", 2));
        let read = read(changes.as_bytes()).expect("changes");
        let merged = merge(&read);
        assert_eq!((merged.len(), merged[0].keys().len()), (1, 3));
        assert_eq!(merged[0].rows(), [read[4].row]);
        assert!(read[4].row.starts_with(read[4].key) && read[4].row.len() > read[4].key.len());
        assert_eq!(read[2].row, read[2].key);
    }

    #[test]
    fn what_is_over_goes_unless_it_comes_after() {
        let mut changes = Changes::default();
        [1, 2, 3].iter().for_each(|&at| changes.keep(&reading(at)));
        changes.forget(&EndedRow { sensor_id: 1, traveler_id: "ann", at: 2 });
        changes.keep(&reading(1));
        let read = read(changes.as_bytes()).expect("changes");
        let merged = merge(&read).pop().expect("a table");
        let mut rows = merged.rows();
        rows.sort_unstable();
        assert_eq!(rows, [read[4].row, read[2].row]);
        assert_eq!([0, 1, 2].map(|n: usize| merged.is_over(read[n].key)), [true, true, false]);
        assert_eq!(merged.prefixes(), [&read[0].key[..read[0].key.len() - 8]]);
    }

    #[test]
    fn bytes_of_another_version_are_refused() {
        let mut changes = Changes::default();
        changes.put(&traveler("ann", 1));
        let bytes = changes.as_bytes();
        assert!(read(&bytes[..bytes.len() - 1]).is_none() && read(&[9]).is_none() && read(&[]).is_some());
    }
}
