//! The order in which records have arrived: a partition's by their offsets, and between partitions by the latest time so far.

use std::collections::BTreeMap;

use crate::support::record::Record;

/// The records of a topic in that order.
pub(crate) fn in_order_of_arrival<'a>(records: &'a [Record], topic: &str) -> Vec<&'a Record> {
    let mut records: Vec<&Record> = records.iter().filter(|record| record.topic == topic).collect();
    records.sort_by_key(|record| (record.partition, record.offset));
    let mut latest: BTreeMap<u32, i64> = BTreeMap::new();
    let mut arrived: Vec<(i64, u32, u64, &Record)> = Vec::new();
    for record in records {
        let latest = latest.entry(record.partition).or_insert(i64::MIN);
        *latest = (*latest).max(record.ts);
        arrived.push((*latest, record.partition, record.offset, record));
    }
    arrived.sort_by_key(|&(ts, partition, offset, _)| (ts, partition, offset));
    arrived.into_iter().map(|(.., record)| record).collect()
}
