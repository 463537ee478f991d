//! How far reading had come, from rows of `watermarks`.

use std::collections::BTreeMap;

use anyhow::Result;
use hexflow_dataflows::arrivals::Reached;
use hexflow_dataflows::marks::Mark;
use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::rows::stream_of;
use hexflow_operators::watermark;

use super::Tables;
use crate::tables::changes::{EVENT_TIME, FLOOR, OFFSET, SETTLED, STORE, TOPIC_TIME, UNSEEN};

/// The marks of a topic.
pub fn marks(store: &mut impl Tables, topic: Topic) -> Result<Vec<Mark>> {
    let of_topic = format!("topic = '{}'", topic.name());
    let rows: Vec<(String, i64, i64)> = store
        .rows("watermarks", "kind, partition, value", &of_topic, |row| Some((row.get()?, row.get()?, row.get()?)))?;
    let (mut marks, mut reached) = (Vec::new(), BTreeMap::<u32, Reached>::new());
    for (kind, partition, value) in rows {
        let stream = stream_of(topic, u32::try_from(partition).unwrap_or(0));
        let unknown = Reached { offset: 0, ts: i64::MIN };
        match kind.as_str() {
            OFFSET => reached.entry(stream).or_insert(unknown).offset = value.cast_unsigned(),
            TOPIC_TIME => reached.entry(stream).or_insert(unknown).ts = value,
            EVENT_TIME => marks.push(Mark::EventTime(watermark::Mark::Clock(stream, value))),
            UNSEEN => marks.push(Mark::EventTime(watermark::Mark::Unseen(value))),
            FLOOR => marks.push(Mark::EventTime(watermark::Mark::Floor(value))),
            SETTLED => marks.push(Mark::Settled(value)),
            STORE => marks.push(Mark::Store(value)),
            _ => {} // of alerts, or of a later version
        }
    }
    marks.extend(reached.into_iter().map(|(stream, reached)| Mark::Reached(stream, reached)));
    Ok(marks)
}

/// The one mark of a topic of that kind, which is of no partition.
pub fn mark(store: &mut impl Tables, topic: Topic, kind: &str) -> Result<Option<i64>> {
    let condition = format!("topic = '{}' AND kind = '{kind}'", topic.name());
    Ok(store.rows("watermarks", "value", &condition, |row| row.get())?.pop())
}

/// The time below which all is late, ms since the epoch.
pub fn floor_ms(marks: &[Mark]) -> i64 {
    let floor = |mark: &Mark| if let Mark::EventTime(watermark::Mark::Floor(ms)) = mark { Some(*ms) } else { None };
    marks.iter().find_map(floor).unwrap_or(i64::MIN)
}

/// The time from which rows of cameras are still to be settled, if they are settled at all, or may yet change.
pub fn unsettled_ms(marks: &[Mark], settles: bool) -> i64 {
    let settled = |mark: &Mark| if let Mark::Settled(ms) = mark { Some(*ms) } else { None };
    let settled_ms = marks.iter().find_map(settled).filter(|_| settles);
    settled_ms.map_or(i64::MAX, |ms| ms).min(floor_ms(marks))
}
