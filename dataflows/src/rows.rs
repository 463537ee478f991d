//! The rows that flow: what messages become once they are decoded, in columns.
//!
//! A row carries what any pipeline needs of it, as plain fields: ids as text, times in ms, and the hashes that key it, made
//! once. Rows cross processes, so they hold nothing that only one process understands.

use columnar::{Columnar, Index, Ref};
use hexflow_operators::batch::Columns;
use hexflow_operators::hash::key_of;
use hexflow_operators::hold_back::Position;
use hexflow_operators::lookup::Key;
use hexflow_operators::upsert::Candidate;
use hexflow_operators::versions::Version;
use uuid::Uuid;

use crate::messages::topic::Topic;

/// Partitions of the topics that are keyed by track: ownership of tracks follows them.
const TRACK_PARTITIONS: u64 = 24;

/// The namespace of axion track ids that hexflow makes: a UUID v5 of `hexflow.axion.track` in the DNS namespace.
pub const AXION_NAMESPACE: Uuid = Uuid::from_u128(0x90d4_8659_c0a2_5646_953c_e739_c431_5257);

/// What every row has.
#[derive(Clone, Debug, Default, PartialEq, Columnar)]
pub struct Meta {
    /// Topic and partition: see [`stream_of`].
    pub stream: u32,
    /// Offset in the partition.
    pub offset: u64,
    /// The record's time in its topic, ms since the epoch.
    pub ts: i64,
    /// Names the Citylens track: see [`track_key`].
    pub track_key: u128,
    /// The axion track id, as the UUID's number; zero until looked up.
    pub axion: u128,
    /// Names the row: a hash of its primary key.
    pub key: u128,
    /// A hash of what the row holds.
    pub content: u64,
    /// The version, ms since the epoch.
    pub updated_at: i64,
    /// What orders versions of one `updated_at`: see [`hexflow_operators::versions::order_of`].
    pub order: u64,
    /// The request that the record came of.
    pub request_id: String,
    /// The tenant.
    pub org_id: Option<String>,
    /// W3C trace context to continue.
    pub traceparent: Option<String>,
    /// The payload's first bytes as the source had them, shown should the record stall.
    pub head: String,
}

/// A row of `tracks`.
#[derive(Clone, Debug, Default, PartialEq, Columnar)]
pub struct Track {
    /// What every row has.
    pub meta: Meta,
    /// Citylens track id.
    pub track_id: String,
    /// `started`, `recording` or `finished`.
    pub status: String,
    /// The recording device.
    pub device_id: Option<String>,
    /// ms since the epoch.
    pub started_at: i64,
    /// ms since the epoch.
    pub ended_at: Option<i64>,
    /// m.
    pub distance_meters: Option<f64>,
}

/// A row of `frames`.
#[derive(Clone, Debug, Default, PartialEq, Columnar)]
pub struct Frame {
    /// What every row has.
    pub meta: Meta,
    /// The frame's id.
    pub frame_id: String,
    /// Citylens track id.
    pub track_id: String,
    /// Counts the track's frames.
    pub sequence: u32,
    /// ms since the epoch.
    pub captured_at: i64,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// m.
    pub altitude: Option<f64>,
    /// m.
    pub accuracy: Option<f64>,
    /// Degrees clockwise from north.
    pub heading: Option<f64>,
    /// m/s.
    pub speed: Option<f64>,
    /// Where the image lies.
    pub image_url: Option<String>,
    /// Detailed GPS, the JSON text as it came.
    pub gps: Option<String>,
}

/// A row of `detections`.
#[derive(Clone, Debug, Default, PartialEq, Columnar)]
pub struct Detection {
    /// What every row has.
    pub meta: Meta,
    /// The detection's id.
    pub detection_id: String,
    /// The frame it was seen in.
    pub frame_id: String,
    /// Citylens track id.
    pub track_id: String,
    /// What saw it.
    pub detector: String,
    /// What it is.
    pub class_name: String,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// x, y, width and height, px.
    pub bbox: (f64, f64, f64, f64),
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// H3 resolution-2 cell.
    pub cell: u64,
    /// ms since the epoch.
    pub detected_at: i64,
}

/// What pipelines ask of any kind of row.
pub trait Entity: Columnar<Container: columnar::Container> {
    /// What every row has, of this one.
    fn meta(row: Ref<'_, Self>) -> Ref<'_, Meta>;
    /// The columns of what every row has.
    fn metas<'c, 'a>(columns: &'c Columns<'a, Self>) -> &'c Columns<'a, Meta>;
    /// Its Citylens track id.
    fn track_id(row: Ref<'_, Self>) -> &[u8];
    /// Writes the axion track id of row `index`.
    fn set_axion(columns: &mut Self::Container, index: usize, axion: u128);

    /// Where the row's record stands.
    fn position(columns: &Columns<'_, Self>, row: usize) -> Position {
        let metas = Self::metas(columns);
        Position { stream: metas.stream[row], offset: metas.offset[row] }
    }

    /// The key of the row's track.
    fn track_key(columns: &Columns<'_, Self>, row: usize) -> Key {
        Self::metas(columns).track_key.get(row)
    }

    /// What deduplication needs to know.
    fn candidate(columns: &Columns<'_, Self>, row: usize) -> Candidate {
        let metas = Self::metas(columns);
        let (updated_at, order, content) = (metas.updated_at[row], metas.order[row], metas.content[row]);
        let version = Version { updated_at, order, content };
        Candidate { key: metas.key.get(row), version, event_ms: metas.ts[row] }
    }
}

macro_rules! entity {
    ($($row:ident),*) => {$(
        impl Entity for $row {
            fn meta(row: Ref<'_, Self>) -> Ref<'_, Meta> {
                row.meta
            }
            fn metas<'c, 'a>(columns: &'c Columns<'a, Self>) -> &'c Columns<'a, Meta> {
                &columns.meta
            }
            fn track_id(row: Ref<'_, Self>) -> &[u8] {
                row.track_id
            }
            fn set_axion(columns: &mut Self::Container, index: usize, axion: u128) {
                columns.meta.axion.values[index] = axion.to_le_bytes();
            }
        }
    )*};
}

entity!(Track, Frame, Detection);

/// Names a topic's partition: the topic above 24 bits of the partition's number.
pub fn stream_of(topic: Topic, partition: u32) -> u32 {
    (topic as u32) << 24 | partition & 0x00ff_ffff
}

/// The topic and the partition that a stream's name stands for.
pub fn partition_of_stream(stream: u32) -> (Topic, u32) {
    (Topic::ALL[(stream >> 24) as usize], stream & 0x00ff_ffff)
}

/// The key of a Citylens track: 96 bits that tell tracks apart above the 32 that place it, its id's CRC-32, from which
/// librdkafka takes the partition. So the worker that owns a track is the one that reads its partition of each topic,
/// and where producers do use that partitioner, no record needs to change its worker.
pub fn track_key(track_id: &str) -> Key {
    key_of(track_id.as_bytes()) & !0xffff_ffff | u128::from(crc32fast::hash(track_id.as_bytes()))
}

/// Which worker owns a track, as a number to be taken modulo their number.
pub fn owner(track_key: Key) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "the low 32 bits are the CRC")]
    let crc = track_key as u32;
    u64::from(crc) % TRACK_PARTITIONS
}

/// The axion id of a track whose mapping hexflow makes: two makers agree on it.
pub fn axion_track_id(track_id: &str) -> Uuid {
    Uuid::new_v5(&AXION_NAMESPACE, track_id.as_bytes())
}

/// The object that holds a frame's detailed GPS: named by what it holds, so that writing it again changes nothing.
pub fn gps_key(axion: u128, key: u128, content: u64) -> String {
    format!("gps/{}/{key:032x}-{content:016x}.json", Uuid::from_u128(axion))
}

/// A text of a row; columns hold the bytes of what was text when it was written.
pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or("\u{fffd}")
}
