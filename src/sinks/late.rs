//! Records that came too late for their windows, apart: lists of them in an archive or a folder.
//!
//! `late/topic=T/day=D/hour=H/HASH.jsonl.zst`, by the time when they came; a line a record:
//! `{"topic":..,"partition":..,"offset":..,"ts":..,"event_ts":..,"message":{..}}`. A list is never changed. After a crash
//! a record may stand in two.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result};
use hexflow_dataflows::late::LateRecord;
use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::rows::partition_of_stream;
use hexflow_operators::upsert::Tally;
use xxhash_rust::xxh3::xxh3_128;

use super::{Rows, Sink};
use crate::archive::hour::Hour;
use crate::objects::Store;

/// The folder of the lists.
pub const FOLDER: &str = "late";

/// As `zstd` packs unless it is told otherwise.
const LEVEL: i32 = 3;

/// Writes lists into a store of objects.
pub struct Late {
    store: Store,
    waiting: Vec<LateRecord>,
}

impl Late {
    /// Lists in `store`.
    pub fn new(store: Store) -> Self {
        Late { store, waiting: Vec::new() }
    }
}

impl Sink for Late {
    /// Each commit makes objects, and late records seldom come alone.
    const LINGER: Duration = Duration::from_secs(1);

    type Work = Vec<LateRecord>;

    fn preparer(&self) -> impl Fn(&Rows) -> Self::Work + Send + Sync + 'static {
        |rows| if let Rows::Late(records) = rows { records.clone() } else { Vec::new() }
    }

    fn write(&mut self, records: Self::Work) -> Result<()> {
        self.waiting.extend(records);
        Ok(())
    }

    fn commit(&mut self) -> Result<Tally> {
        let mut lists: BTreeMap<(Topic, Hour), Vec<u8>> = BTreeMap::new();
        self.waiting.sort();
        for record in self.waiting.drain(..) {
            let (topic, partition) = partition_of_stream(record.stream);
            let list = lists.entry((topic, Hour::of_ms(record.ts))).or_default();
            let LateRecord { offset, ts, event_ms, message, .. } = record;
            let name = topic.name();
            writeln!(
                list,
                "{{\"topic\":\"{name}\",\"partition\":{partition},\"offset\":{offset},\"ts\":{ts},\
                 \"event_ts\":{event_ms},\"message\":{message}}}"
            )?;
        }
        let packed = lists.into_iter().map(|((topic, hour), list)| {
            let bytes = zstd::bulk::compress(&list, LEVEL).context("cannot pack a list")?;
            let (topic, day, hour) = (topic.name(), hour.day(), hour.hour_of_day());
            let name = format!("{FOLDER}/topic={topic}/day={day}/hour={hour}/{:032x}.jsonl.zst", xxh3_128(&bytes));
            Ok((name, bytes))
        });
        self.store.put_all(packed.collect::<Result<_>>()?)?;
        Ok(Tally::default())
    }
}
