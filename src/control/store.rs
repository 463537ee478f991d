//! What any control store can be asked. A store is one connection, for one thread that may block.

use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::rows::stream_of;
use hexflow_operators::hold_back::Position;
use uuid::Uuid;

use crate::patience::Failure;
use crate::sources::kafka::names::Names;

/// A row of the mapping: Citylens track id and axion track id.
pub type Mapped = (String, Uuid);

/// An answer, or why there is none.
pub type Answer<T> = Result<T, Failure>;

/// Where a record stands, by the name that its topic has on the brokers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordPlace {
    /// The topic's name.
    pub topic: String,
    /// Partition number.
    pub partition: u32,
    /// Offset in the partition.
    pub offset: u64,
}

/// A partition that stands still: a row of `stalled_partitions`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Standing {
    /// The topic's name on the brokers.
    pub topic: String,
    /// Partition number.
    pub partition: u32,
    /// Offset of the record that cannot go on.
    pub offset: u64,
    /// Why.
    pub reason: String,
    /// The record's first bytes, as text.
    pub head: String,
    /// Since when, ms since the epoch.
    pub since: i64,
    /// The process that stands there: host and process id.
    pub by: String,
}

/// That a record is to be skipped: a row of `skipped_offsets`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// Which one.
    pub place: RecordPlace,
    /// Why.
    pub reason: String,
    /// Who has said so.
    pub by: String,
}

/// The tables, and what is asked of them.
pub trait ControlStore: Send {
    /// What it is and where, as shown; no password is in it.
    fn name(&self) -> &str;
    /// Calls `each` with every row of the mapping, in any order, as they come.
    fn each_mapping(&mut self, each: &mut dyn FnMut(&str, Uuid)) -> Answer<()>;
    /// The rows that stand for `tracks`, of which none comes twice; those that had none have been made of what is proposed.
    fn settle(&mut self, tracks: &[Mapped]) -> Answer<Vec<Mapped>>;
    /// The rows that stand for those of `tracks` that have one.
    fn find(&mut self, tracks: &[String]) -> Answer<Vec<Mapped>>;
    /// Whether the initial migration is done; `None` if nothing says so or otherwise.
    fn migrated(&mut self) -> Answer<Option<bool>>;
    /// All records that are to be skipped.
    fn skips(&mut self) -> Answer<Vec<RecordPlace>>;
    /// Those of `places` that are to be skipped.
    fn skips_at(&mut self, places: &[RecordPlace]) -> Answer<Vec<RecordPlace>>;
    /// Says that a record is to be skipped; false if that was said before.
    fn add_skip(&mut self, skip: &Skip) -> Answer<bool>;
    /// The partitions that stand still, of all processes.
    fn standing(&mut self) -> Answer<Vec<Standing>>;
    /// Takes out the rows of partitions, then puts rows in, in one transaction.
    fn write_standing(&mut self, gone: &[(String, u32)], there: &[Standing]) -> Answer<()>;
}

impl RecordPlace {
    /// The record's position, if it is of a topic that is read: by its name on the brokers or the contract's.
    pub fn position(&self, names: &Names) -> Option<Position> {
        let topic = names.topic(&self.topic).or_else(|| Topic::named(&self.topic))?;
        Some(Position { stream: stream_of(topic, self.partition), offset: self.offset })
    }
}
