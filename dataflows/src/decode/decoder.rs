//! What a record turns out to be: a row, or one of the things that are no row.

use std::sync::Arc;

use hexflow_operators::cells::Cells;
use hexflow_operators::hold_back::Position;
use hexflow_operators::{Batch, FixedMap};

use super::{DeadLetter, OnMalformed, Settings, Stall};
use crate::counts::Counts;
use crate::headers::Headers;
use crate::messages::topic::Topic;
use crate::parse;
use crate::parse_readings;
use crate::pipelines::{Pipeline, Pipelines};
use crate::readings::{CameraDetection, Movement};
use crate::record::{Offer, Payload, Record};
use crate::rows::{Detection, Frame, Track, stream_of};
use crate::skips::{Places, Skips};

/// What a container of records decodes to.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) tracks: Batch<Track>,
    pub(super) frames: Batch<Frame>,
    pub(super) detections: Batch<Detection>,
    pub(super) movements: Batch<Movement>,
    pub(super) camera_detections: Batch<CameraDetection>,
    pub(super) stalls: Vec<Stall>,
    pub(super) dead_letters: Vec<DeadLetter>,
    pub(super) skipped: Vec<Position>,
    /// By pipeline.
    pub(super) counts: [Counts; Pipeline::ALL.len()],
}

/// Decodes the records of one worker.
pub(super) struct Decoder {
    pipelines: Pipelines,
    env: String,
    on_malformed: OnMalformed,
    skips: Skips,
    /// Those of them that are known for the container at hand.
    known: Arc<Places>,
    /// Those of them that were counted.
    counted: Places,
    /// The partitions that a malformed record stalls, and its offset.
    halted: FixedMap<u32, u64>,
    cells: Cells,
}

/// What a record turned out to be.
enum Found {
    Row,
    OtherEnv,
    /// Behind a malformed record of its partition.
    Halted,
    /// An operator has said so.
    Skipped(Position),
    /// And what is wrong with it.
    Malformed(String),
}

impl Decoder {
    /// One that nothing has come to yet.
    pub(super) fn new(settings: &Settings, cells: Cells) -> Self {
        let Settings { env, on_malformed, skips, pipelines } = settings.clone();
        let (known, counted, halted) = (skips.known(), Places::default(), FixedMap::default());
        Decoder { pipelines, env, on_malformed, skips, known, counted, halted, cells }
    }

    /// From here on, those records are skipped that are to be skipped now.
    pub(super) fn look_at_skips(&mut self) {
        self.known = self.skips.known();
    }

    /// Records that come again were counted, and their malformed ones reported, when they came first.
    pub(super) fn decode(&mut self, record: &Record<'_>, again: bool, rows: &mut Rows) -> Offer {
        let escaped = matches!(record.payload, Some(Payload::Escaped(_)));
        let Some(reader) = self.pipelines.reader(record.topic) else {
            return if escaped { Offer::AsText } else { Offer::Taken };
        };
        let found = self.read(record, rows);
        if escaped && !matches!(found, Found::Row) {
            return Offer::AsText; // whatever is no row must be known to be a record at all
        }
        let first = u64::from(!again);
        let counts = &mut rows.counts[reader as usize];
        counts.records += first;
        match found {
            Found::Row | Found::Halted => {}
            Found::OtherEnv => counts.ignored += first,
            Found::Skipped(place) => {
                // It may have been counted as a record before anybody said that it is to be skipped.
                counts.skipped += u64::from(self.counted.insert(place));
                rows.skipped.push(place);
            }
            Found::Malformed(error) => {
                counts.malformed += first;
                counts.dead_letters += u64::from(self.on_malformed == OnMalformed::DeadLetter) * first;
                self.malformed(record, error, again, rows);
            }
        }
        Offer::Taken
    }

    fn read(&mut self, record: &Record<'_>, rows: &mut Rows) -> Found {
        if !self.known.is_empty()
            && let Some(found) = self.skip(record)
        {
            return found;
        }
        let headers = Headers::of(record);
        if headers.env.is_some_and(|env| env != self.env) {
            return Found::OtherEnv;
        }
        let stream = stream_of(record.topic, record.partition);
        match self.halted.get(&stream).filter(|_| !self.halted.is_empty()) {
            Some(&offset) if record.offset > offset => return Found::Halted,
            // Its source offers the very record once more: the topic may have been made anew.
            Some(&offset) if record.offset == offset => drop(self.halted.remove(&stream)),
            _ => {}
        }
        let read = headers.check(record.topic).and_then(|()| match record.topic {
            Topic::CitylensTracks => parse::track(record, &headers, &mut rows.tracks),
            Topic::CitylensFrames => parse::frame(record, &headers, &mut rows.frames),
            Topic::Movements => parse_readings::movement(record, &mut rows.movements),
            Topic::CameraDetections => parse_readings::camera_detection(record, &mut rows.camera_detections),
            _ => parse::detection(record, &headers, &mut self.cells, &mut rows.detections),
        });
        read.map_or_else(Found::Malformed, |()| Found::Row)
    }

    /// What a record is that is to be skipped; `None` if it is not. Not before its time: what is before it comes first.
    fn skip(&mut self, record: &Record<'_>) -> Option<Found> {
        let place = Position { stream: stream_of(record.topic, record.partition), offset: record.offset };
        let halted = self.halted.get(&place.stream).copied();
        if !self.known.contains(&place) || halted.is_some_and(|offset| place.offset > offset) {
            return None;
        }
        if halted == Some(place.offset) {
            self.halted.remove(&place.stream);
        }
        Some(Found::Skipped(place))
    }

    fn malformed(&mut self, record: &Record<'_>, error: String, again: bool, rows: &mut Rows) {
        match self.on_malformed {
            OnMalformed::Stall => {
                let stream = stream_of(record.topic, record.partition);
                self.halted.insert(stream, record.offset);
                let head = record.head().to_owned();
                rows.stalls.push(Stall { stream, offset: record.offset, reason: error, head });
            }
            OnMalformed::DeadLetter if again => {}
            OnMalformed::DeadLetter => rows.dead_letters.push(dead_letter(record, error)),
        }
    }
}

fn dead_letter(record: &Record<'_>, error: String) -> DeadLetter {
    let bytes = |text: &str| text.as_bytes().to_vec();
    let (headers, key, payload) = match record.original {
        Some(original) => {
            (original.headers(), original.key().map(<[u8]>::to_vec), original.payload().map(<[u8]>::to_vec))
        }
        None => (
            record.headers.iter().map(|&(name, value)| (name.to_owned(), value.map(bytes))).collect(),
            record.key.map(bytes),
            record.payload.map(|_| bytes(record.text())),
        ),
    };
    let stream = stream_of(record.topic, record.partition);
    DeadLetter { stream, offset: record.offset, ts: record.ts, headers, key, payload, error }
}
