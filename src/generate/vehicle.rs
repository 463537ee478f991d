//! A vehicle, and the trip that it is on.

use anyhow::Result;
use hexflow_dataflows::messages::citylens::Track;
use hexflow_dataflows::messages::value::{Finite, TrackStatus};
use hexflow_dataflows::time::Instant;

use super::city::Point;
use super::drive::Drive;
use super::id::{Ids, Kind};
use super::message::Numbers;
use super::post::Post;
use super::random::{Random, to_parts};
use super::street::Grid;

/// Who owns the vehicles.
const TENANTS: [&str; 5] = ["org-roads", "org-parking", "org-lighting", "org-survey", "org-transit"];

/// A vehicle with a camera.
pub(super) struct Vehicle {
    /// The number of its city.
    pub(super) city: usize,
    /// Its tenant.
    pub(super) org_id: &'static str,
    device_id: String,
    /// Its receiver reports altitudes.
    pub(super) knows_altitude: bool,
    /// Its receiver reports how sure it is.
    pub(super) knows_accuracy: bool,
    /// How it moves.
    pub(super) drive: Drive,
    /// What it is about to do.
    pub(super) next: Next,
    /// Its trip; the last one, between two.
    pub(super) trip: Trip,
}

/// A vehicle at an instant, in its city.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    /// ms since the epoch.
    pub(super) at_ms: i64,
    /// The vehicle.
    pub(super) vehicle: &'a Vehicle,
    /// The streets of its city.
    pub(super) grid: &'a Grid,
    /// The ids of what is made.
    pub(super) ids: Ids,
    /// Of the vehicle's track, and of the frame and the first detection to be made.
    pub(super) numbers: Numbers,
}

/// A vehicle's next act.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    /// Begins a trip.
    Start,
    /// Takes a frame.
    Frame,
    /// Ends the trip.
    Finish,
}

/// A vehicle's way from start to end: a track.
#[derive(Debug, Default)]
pub(super) struct Trip {
    /// The track's serial number.
    pub(super) number: u64,
    /// The track's id.
    pub(super) track_id: String,
    /// ms since the epoch.
    started_ms: i64,
    /// Up to when it has been driven, ms since the epoch.
    moved_ms: i64,
    /// How long ago the frame before was taken, and where; none for the first.
    pub(super) frame_before: Option<(i64, Point)>,
    /// The next frame's.
    pub(super) sequence: u32,
    /// Frames to come.
    pub(super) frames_left: u64,
    distance_meters: f64,
}

impl Vehicle {
    /// The vehicle of that number, parked in one of the cities.
    pub(super) fn new(number: u64, grids: &[Grid], random: &mut Random) -> Self {
        let city = (number % grids.len() as u64) as usize;
        let grid = &grids[city];
        Vehicle {
            city,
            org_id: TENANTS[random.below(TENANTS.len() as u64) as usize],
            device_id: format!("{}-{number:04}", grid.city.name),
            knows_altitude: random.chance(0.5),
            knows_accuracy: random.chance(0.7),
            drive: Drive::new(grid, random),
            next: Next::Start,
            trip: Trip::default(),
        }
    }

    /// Begins a trip of so many frames.
    pub(super) fn start(&mut self, at_ms: i64, number: u64, frames: u64, ids: Ids) {
        let mut track_id = std::mem::take(&mut self.trip.track_id);
        ids.write(&mut track_id, Kind::Track, number);
        let (started_ms, moved_ms) = (at_ms, at_ms);
        self.trip = Trip { number, track_id, started_ms, moved_ms, frames_left: frames, ..Trip::default() };
    }

    /// Drives on until `at_ms`.
    pub(super) fn advance(&mut self, grid: &Grid, at_ms: i64, random: &mut Random) {
        let since_ms = self.trip.moved_ms;
        self.trip.frame_before = (self.trip.sequence > 0).then(|| (at_ms - since_ms, self.drive.position()));
        self.trip.distance_meters += self.drive.advance(grid, since_ms, at_ms - since_ms, random);
        self.trip.moved_ms = at_ms;
    }

    /// Tells what has become of its track.
    pub(super) fn send_track(&self, at_ms: i64, status: TrackStatus, post: &mut Post) -> Result<()> {
        let at = Instant::from_ms(at_ms);
        let distance = Finite(to_parts(self.trip.distance_meters, 10.0));
        let track = Track {
            track_id: self.trip.track_id.as_str().into(),
            status,
            device_id: Some(self.device_id.as_str().into()),
            started_at: Instant::from_ms(self.trip.started_ms),
            ended_at: (status == TrackStatus::Finished).then_some(at),
            distance_meters: (status != TrackStatus::Started).then_some(distance),
            updated_at: at,
        };
        post.send(at_ms, self.org_id, Numbers { track: self.trip.number, ..Numbers::default() }, track)
    }
}
