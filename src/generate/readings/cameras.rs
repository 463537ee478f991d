//! What all cameras see, at an even rate.
//!
//! Some cameras are busier, and some items seen far more often, than others. Half of a location's items are drawn as
//! everywhere, half by an order of its own: locations have favourites of their own, and some that all have.

use anyhow::Result;

use super::courier::Courier;
use super::detection::CameraDetection;
use super::locations;
use super::zipf::Zipf;
use crate::generate::args::{CamerasArgs, Options, ensure_writable};
use crate::generate::file::Sink;
use crate::generate::random::{Random, mix, place};
use crate::generate::summary::Summary;

/// The oid of the first camera.
const FIRST_CAMERA: i64 = 500_000;
/// How flat the popularity of cameras is: the busiest sees ten times as much as the hundredth.
const FLATNESS: f64 = 10.0;
/// Oids of detections are below it: readers in which all numbers are floating point can say them.
const DETECTION_OIDS: u64 = 1 << 53;
/// Scatters oids; odd, so that no two numbers share one.
const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;

/// All cameras.
pub(in crate::generate) struct Cameras {
    shape: CamerasArgs,
    detections: u64,
    start_ms: i64,
    interval_ms: f64,
    /// Of a seed: where oids of detections begin.
    first_oid: u64,
    by_camera: Zipf,
    by_item: Zipf,
    random: Random,
    courier: Courier<CameraDetection>,
    locations: Option<Sink>,
}

impl Cameras {
    /// Opens the topic, and writes the set of locations.
    pub(in crate::generate) fn new(args: &Options) -> Result<Self> {
        let (detections, interval_ms) = (args.detections(), 1e3 / args.rate());
        let span_ms = detections as f64 * interval_ms + args.delays.longest_ms() as f64;
        ensure_writable(args.start, span_ms, "fewer --detections or a higher --rate")?;
        Ok(Cameras {
            courier: Courier::new(args)?,
            locations: locations::write(&args.output, args.cameras.locations)?,
            shape: args.cameras.clone(),
            detections,
            start_ms: args.start.ms,
            interval_ms,
            first_oid: mix(args.seed),
            by_camera: Zipf::new(args.cameras.cameras, FLATNESS),
            by_item: Zipf::new(args.cameras.items, 0.0),
            random: Random::new(args.seed, 0),
        })
    }

    /// Runs until all is seen.
    pub(in crate::generate) fn run(mut self) -> Result<Summary> {
        for number in 0..self.detections {
            let detection = self.see(number);
            self.courier.send(detection)?;
        }
        self.courier.finish(self.locations)
    }

    fn see(&mut self, number: u64) -> CameraDetection {
        let (location, camera) = self.any_camera();
        let rank = self.by_item.draw(&mut self.random);
        let shift = if self.random.chance(0.5) { place(&[u64::from(location)]) } else { 0 };
        let items = u64::from(self.shape.items);
        CameraDetection {
            at_ms: self.start_ms + (number as f64 * self.interval_ms) as i64,
            location_oid: locations::oid(location),
            camera_oid: FIRST_CAMERA + i64::from(camera),
            detection_oid: (self.first_oid.wrapping_add(number.wrapping_mul(SCATTER)) % DETECTION_OIDS).cast_signed(),
            item: (rank + shift % items) % items,
        }
    }

    /// A camera and where it stands: each at one location. Beyond the set there is one at each.
    fn any_camera(&mut self) -> (u32, u32) {
        let CamerasArgs { locations, cameras, unknown, .. } = self.shape;
        if self.random.chance(unknown) {
            let beyond = self.random.below(u64::from(locations::beyond(locations))) as u32;
            return (locations + beyond, cameras + beyond);
        }
        let camera = self.by_camera.draw(&mut self.random) as u32;
        (camera % locations, camera)
    }
}
