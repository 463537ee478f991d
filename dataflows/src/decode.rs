//! Decodes records into rows, once; what cannot be decoded leaves on a stream of its own, with the reason.
//!
//! A malformed record stalls its partition: nothing behind it is decoded. A partition is read by one worker, so this needs
//! no word to any other. With [`OnMalformed::DeadLetter`] the record is set aside and its partition goes on.

use std::sync::Arc;

use hexflow_operators::batch::Room;
use hexflow_operators::cells::Cells;
use hexflow_operators::hold_back::Position;
use hexflow_operators::outputs::Outputs;
use hexflow_operators::{Batch, FixedMap};
use serde::{Deserialize, Serialize};
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::{Stream, StreamVec};
use timely::progress::Timestamp;

use crate::counts::Counts;
use crate::headers::Headers;
use crate::messages::topic::Topic;
use crate::parse;
use crate::parse_readings;
use crate::pipelines::{Pipeline as Reader, Pipelines};
use crate::readings::{CameraDetection, Movement};
use crate::record::{Offer, Payload, Record, Records};
use crate::rows::{Detection, Frame, Track, stream_of};
use crate::skips::{Places, Skips};

/// H3 resolution of a detection's cell.
pub const CELL_RESOLUTION: u8 = 2;

/// What decoding is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The environment whose messages count.
    pub env: String,
    /// What becomes of a malformed record.
    pub on_malformed: OnMalformed,
    /// The records to skip.
    pub skips: Skips,
    /// The pipelines whose topics are read.
    pub pipelines: Pipelines,
}

/// What becomes of a malformed record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMalformed {
    /// Its partition waits.
    Stall,
    /// It goes to the topic's dead letters, and its partition goes on.
    DeadLetter,
}

/// Why a partition stands still.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stall {
    /// The partition: see [`stream_of`].
    pub stream: u32,
    /// The offset it stands at.
    pub offset: u64,
    /// What is wrong there.
    pub reason: String,
    /// The first bytes of the record.
    pub head: String,
}

/// A record set aside, with all that it came with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The partition it came from: see [`stream_of`].
    pub stream: u32,
    /// Its offset there.
    pub offset: u64,
    /// Its time, ms since the epoch.
    pub ts: i64,
    /// Names and values.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// The record's key.
    pub key: Option<Vec<u8>>,
    /// The record's value.
    pub payload: Option<Vec<u8>>,
    /// What is wrong with it.
    pub error: String,
}

/// The rows of each kind, and what is not a row.
pub struct Decoded<'scope, T: Timestamp> {
    /// Rows of tracks.
    pub tracks: Stream<'scope, T, Batch<Track>>,
    /// Rows of frames.
    pub frames: Stream<'scope, T, Batch<Frame>>,
    /// Rows of detections.
    pub detections: Stream<'scope, T, Batch<Detection>>,
    /// Readings of sensors.
    pub movements: Stream<'scope, T, Batch<Movement>>,
    /// What cameras recognised.
    pub camera_detections: Stream<'scope, T, Batch<CameraDetection>>,
    /// Partitions that stand still from here on.
    pub stalls: StreamVec<'scope, T, Stall>,
    /// Records set aside.
    pub dead_letters: StreamVec<'scope, T, DeadLetter>,
    /// Where records stood that were skipped.
    pub skipped: StreamVec<'scope, T, Position>,
    /// How many of each, by pipeline.
    pub counts: StreamVec<'scope, T, (Reader, Counts)>,
}

/// Extension trait for streams of records.
pub trait Decode<'scope, T: Timestamp> {
    /// Decodes the records of the pipelines' topics that are meant for the settings' `env`; those of other topics are passed
    /// over.
    fn decode(self, settings: &Settings) -> Decoded<'scope, T>;
}

impl<'scope, T: Timestamp, B: Records> Decode<'scope, T> for Stream<'scope, T, B> {
    fn decode(self, settings: &Settings) -> Decoded<'scope, T> {
        let mut builder = OperatorBuilder::new("Decode".to_owned(), self.scope());
        let mut input = builder.new_input(self, Pipeline);
        let (mut track_output, tracks) = builder.output::<Batch<Track>>();
        let (mut frame_output, frames) = builder.output::<Batch<Frame>>();
        let (mut detection_output, detections) = builder.output::<Batch<Detection>>();
        let (mut stall_output, stalls) = builder.output::<Vec<Stall>>();
        let (mut dead_output, dead_letters) = builder.output::<Vec<DeadLetter>>();
        let (mut skip_output, skipped) = builder.output::<Vec<Position>>();
        let (mut count_output, counts) = builder.output::<Vec<(Reader, Counts)>>();
        let (mut movement_output, movements) = builder.output::<Batch<Movement>>();
        let (mut camera_output, camera_detections) = builder.output::<Batch<CameraDetection>>();
        let cells = Cells::new(CELL_RESOLUTION).expect("a resolution of H3");
        let mut room = (Room::default(), Room::default(), Room::default());
        let mut decoder = Decoder::new(settings, cells);

        builder.build(move |_capabilities| {
            move |_frontiers| {
                input.for_each(|time, records| {
                    let (tracks, frames, detections) = (room.0.batch(), room.1.batch(), room.2.batch());
                    let mut rows = Rows { tracks, frames, detections, ..Rows::default() };
                    decoder.known = decoder.skips.known();
                    records.for_each(|record| decoder.decode(record, records.again(), &mut rows));
                    room.0.fit(&rows.tracks);
                    room.1.fit(&rows.frames);
                    room.2.fit(&rows.detections);
                    track_output.activate().session(&time.retain(0)).give_container(&mut rows.tracks);
                    frame_output.activate().session(&time.retain(1)).give_container(&mut rows.frames);
                    detection_output.activate().session(&time.retain(2)).give_container(&mut rows.detections);
                    stall_output.activate().session(&time.retain(3)).give_container(&mut rows.stalls);
                    dead_output.activate().session(&time.retain(4)).give_container(&mut rows.dead_letters);
                    skip_output.activate().session(&time.retain(5)).give_container(&mut rows.skipped);
                    let counts =
                        Reader::ALL.into_iter().zip(rows.counts).filter(|(_, counts)| *counts != Counts::default());
                    count_output.activate().session(&time.retain(6)).give_iterator(counts);
                    // Most containers hold none of these.
                    if !rows.movements.is_empty() {
                        movement_output.activate().session(&time.retain(7)).give_container(&mut rows.movements);
                    }
                    if !rows.camera_detections.is_empty() {
                        camera_output.activate().session(&time.retain(8)).give_container(&mut rows.camera_detections);
                    }
                });
            }
        });
        Decoded { tracks, frames, detections, movements, camera_detections, stalls, dead_letters, skipped, counts }
    }
}

/// What a container of records decodes to.
#[derive(Default)]
struct Rows {
    tracks: Batch<Track>,
    frames: Batch<Frame>,
    detections: Batch<Detection>,
    movements: Batch<Movement>,
    camera_detections: Batch<CameraDetection>,
    stalls: Vec<Stall>,
    dead_letters: Vec<DeadLetter>,
    skipped: Vec<Position>,
    /// By pipeline.
    counts: [Counts; Reader::ALL.len()],
}

struct Decoder {
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
    fn new(settings: &Settings, cells: Cells) -> Self {
        let Settings { env, on_malformed, skips, pipelines } = settings.clone();
        let (known, counted, halted) = (skips.known(), Places::default(), FixedMap::default());
        Decoder { pipelines, env, on_malformed, skips, known, counted, halted, cells }
    }

    /// Records that come again were counted, and their malformed ones reported, when they came first.
    fn decode(&mut self, record: &Record<'_>, again: bool, rows: &mut Rows) -> Offer {
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
