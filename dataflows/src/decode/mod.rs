//! Decodes records into rows, once; what cannot be decoded leaves on a stream of its own, with the reason.
//!
//! A malformed record stalls its partition: nothing behind it is decoded. A partition is read by one worker, so this needs
//! no word to any other. With [`OnMalformed::DeadLetter`] the record is set aside and its partition goes on.

mod decoder;

use hexflow_operators::Batch;
use hexflow_operators::batch::Room;
use hexflow_operators::cells::Cells;
use hexflow_operators::hold_back::Position;
use hexflow_operators::outputs::Outputs;
use serde::{Deserialize, Serialize};
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::{Stream, StreamVec};
use timely::progress::Timestamp;

use self::decoder::{Decoder, Rows};
use crate::counts::Counts;
use crate::pipelines::{Pipeline as Reader, Pipelines};
use crate::readings::{CameraDetection, Movement};
use crate::record::Records;
use crate::rows::{Detection, Frame, Track};
use crate::skips::Skips;

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
                    decoder.look_at_skips();
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
