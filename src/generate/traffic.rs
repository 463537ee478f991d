//! The traffic: all vehicles, each doing the next thing in its time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use anyhow::Result;
use hexflow_dataflows::messages::value::TrackStatus;

use super::args::Options;
use super::city::CITIES;
use super::detection::Detections;
use super::frame::Frames;
use super::id::Ids;
use super::message::Numbers;
use super::plan::Plan;
use super::post::Post;
use super::random::Random;
use super::street::Grid;
use super::summary::Summary;
use super::vehicle::{Next, Scene, Vehicle};

/// The share of frames after which a track tells that it goes on.
const RECORDING: f64 = 1.0 / 60.0;

/// All that moves, and what is known of it.
pub(super) struct Traffic {
    ids: Ids,
    plan: Plan,
    random: Random,
    grids: Vec<Grid>,
    vehicles: Vec<Vehicle>,
    /// When each vehicle acts next, the soonest first; of two at once the one of lower number.
    agenda: BinaryHeap<Reverse<(i64, usize)>>,
    /// Of the next track, frame and detection.
    numbers: Numbers,
    frames: Frames,
    detections: Detections,
    post: Post,
}

impl Traffic {
    /// Vehicles about to leave, the first at the start and the others soon after.
    pub(super) fn new(args: &Options) -> Result<Self> {
        let plan = Plan::new(args)?;
        let mut random = Random::new(args.seed, 0);
        let grids: Vec<Grid> = (0..).zip(&CITIES).map(|(number, city)| Grid::new(number, city)).collect();
        let vehicles = (0..u64::from(plan.vehicles)).map(|n| Vehicle::new(n, &grids, &mut random)).collect();
        let rush_ms = (plan.mean_track_ms / 4.0).min(60_000.0).max(plan.interval_ms);
        let leave = |(slot, wait): (usize, f64)| Reverse((args.start.ms + (wait * rush_ms) as i64, slot));
        let waits = (0..plan.vehicles as usize).map(|slot| (slot, if slot == 0 { 0.0 } else { random.unit() }));
        let agenda = waits.map(leave).collect();
        Ok(Traffic {
            ids: Ids::new(args.seed),
            plan,
            grids,
            vehicles,
            agenda,
            random,
            numbers: Numbers::default(),
            frames: Frames::default(),
            detections: Detections::default(),
            post: Post::new(args)?,
        })
    }

    /// Runs until every track is finished.
    pub(super) fn run(mut self) -> Result<Summary> {
        while let Some(Reverse((at_ms, slot))) = self.agenda.pop() {
            self.post.deliver(at_ms)?;
            if let Some(next_ms) = self.act(at_ms, slot)? {
                self.agenda.push(Reverse((next_ms, slot)));
            }
        }
        self.post.finish()
    }

    /// Lets a vehicle do what is next; returns when it acts again, if it does.
    fn act(&mut self, at_ms: i64, slot: usize) -> Result<Option<i64>> {
        let vehicle = &mut self.vehicles[slot];
        match vehicle.next {
            Next::Start => {
                let Some(frames) = self.plan.take_track(&mut self.random) else { return Ok(None) };
                vehicle.start(at_ms, self.numbers.track, frames, self.ids);
                self.numbers.track += 1;
                vehicle.send_track(at_ms, TrackStatus::Started, &mut self.post)?;
            }
            Next::Frame => self.take_frame(at_ms, slot)?,
            Next::Finish => {
                vehicle.drive.park();
                vehicle.send_track(at_ms, TrackStatus::Finished, &mut self.post)?;
            }
        }
        Ok(Some(self.plan_next(at_ms, slot)))
    }

    fn take_frame(&mut self, at_ms: i64, slot: usize) -> Result<()> {
        let vehicle = &mut self.vehicles[slot];
        let grid = &self.grids[vehicle.city];
        vehicle.advance(grid, at_ms, &mut self.random);
        let numbers = Numbers { track: vehicle.trip.number, ..self.numbers };
        let scene = Scene { at_ms, vehicle, grid, ids: self.ids, numbers };
        self.frames.send(scene, &mut self.random, &mut self.post)?;
        let count = self.plan.take_frame(&mut self.random);
        self.detections.send(scene, self.frames.last_id(), count, &mut self.random, &mut self.post)?;
        self.numbers.frame += 1;
        self.numbers.detection += count;
        vehicle.trip.sequence += 1;
        vehicle.trip.frames_left -= 1;
        if vehicle.trip.frames_left > 0 && self.random.chance(RECORDING) {
            vehicle.send_track(at_ms, TrackStatus::Recording, &mut self.post)?;
        }
        Ok(())
    }

    /// When a vehicle acts next, and what it does then.
    fn plan_next(&mut self, at_ms: i64, slot: usize) -> i64 {
        let vehicle = &mut self.vehicles[slot];
        let (next, wait_ms) = match vehicle.next {
            Next::Start | Next::Frame if vehicle.trip.frames_left > 0 => {
                (Next::Frame, self.plan.interval_ms * self.random.between(0.95, 1.05))
            }
            Next::Start | Next::Frame => (Next::Finish, self.random.between(300.0, 1_500.0)),
            Next::Finish => {
                let pause = self.random.between(0.01, 0.05) * self.plan.mean_track_ms;
                (Next::Start, pause + self.random.between(500.0, 3_000.0))
            }
        };
        vehicle.next = next;
        at_ms + (wait_ms as i64).max(1)
    }
}
