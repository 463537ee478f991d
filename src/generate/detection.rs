//! Detections: what detectors see in a frame of the things ahead of the vehicle.

use anyhow::Result;
use hexflow_dataflows::messages::citylens::Detection;
use hexflow_dataflows::messages::value::{BoundingBox, Finite, Fraction, LatLon, Latitude, Longitude};
use hexflow_dataflows::time::Instant;

use super::city::Point;
use super::fixture::{DETECTORS, Fixture};
use super::id::Kind;
use super::post::Post;
use super::random::{Random, to_parts};
use super::vehicle::{Scene, Vehicle};

/// How far ahead things are recognised.
const SIGHT_METERS: f64 = 70.0;
/// By how much a thing is misplaced, each axis.
const PLACE_DEVIATION_METERS: f64 = 1.5;
/// The share of sightings by another detector than the class's own.
const BY_ANOTHER: f64 = 0.08;

const IMAGE_PIXELS: (f64, f64) = (1920.0, 1080.0);
/// Pixels of a metre at a metre's distance.
const FOCAL_PIXELS: f64 = 1200.0;

/// Writes detections, with buffers that are used again.
#[derive(Default)]
pub(super) struct Detections {
    id: String,
    /// Which of the vehicle's fixtures are in sight.
    in_sight: Vec<usize>,
}

impl Detections {
    /// Sends `count` detections of the frame `frame_id` that a vehicle has just taken.
    pub(super) fn send(
        &mut self,
        scene: Scene<'_>,
        frame_id: &str,
        count: u64,
        random: &mut Random,
        post: &mut Post,
    ) -> Result<()> {
        let Scene { at_ms, vehicle, mut numbers, .. } = scene;
        if count == 0 {
            return Ok(());
        }
        self.look(vehicle);
        // Round and round from anywhere: more detections than things are second sightings by the other detectors.
        let first = random.below(self.in_sight.len() as u64);
        for n in 0..count {
            let round = n as usize / self.in_sight.len();
            let which = (first + n) as usize % self.in_sight.len();
            let thing = &vehicle.drive.fixtures()[self.in_sight[which]];
            scene.ids.write(&mut self.id, Kind::Detection, numbers.detection);
            let detection = Detection {
                detection_id: self.id.as_str().into(),
                frame_id: frame_id.into(),
                track_id: vehicle.trip.track_id.as_str().into(),
                ..sight(thing, round, scene, random)
            };
            post.send(at_ms, vehicle.org_id, numbers, detection)?;
            numbers.detection += 1;
        }
        Ok(())
    }

    /// Gathers what is in sight, or else what comes last before the crossing after the next.
    fn look(&mut self, vehicle: &Vehicle) {
        let drive = &vehicle.drive;
        let ahead = |fixture: &Fixture| fixture.along_meters - drive.along_meters();
        let things = drive.fixtures().iter().enumerate();
        self.in_sight.clear();
        self.in_sight.extend(things.filter(|(_, f)| (4.0..SIGHT_METERS).contains(&ahead(f))).map(|(n, _)| n));
        if self.in_sight.is_empty() {
            self.in_sight.push(drive.fixtures().len().saturating_sub(1));
        }
    }
}

/// What a detector makes of a thing, but for its ids.
fn sight<'a>(thing: &Fixture, round: usize, scene: Scene<'_>, random: &mut Random) -> Detection<'a> {
    let (lat, lon) = scene.grid.city.degrees(Point {
        east: thing.at.east + random.bell(PLACE_DEVIATION_METERS),
        north: thing.at.north + random.bell(PLACE_DEVIATION_METERS),
    });
    let other = usize::from(random.chance(BY_ANOTHER));
    let doubt = random.unit();
    let at = Instant::from_ms(scene.at_ms);
    Detection {
        detection_id: "".into(),
        frame_id: "".into(),
        track_id: "".into(),
        detector: DETECTORS[(thing.class.detector + round + other) % DETECTORS.len()].into(),
        class_name: thing.class.name.into(),
        // Mostly sure: half of them above 0.86.
        confidence: Fraction(to_parts(0.995 - 0.545 * doubt * doubt, 1e4)),
        bbox: bounding_box(thing, thing.along_meters - scene.vehicle.drive.along_meters(), random),
        location: LatLon { lat: Latitude(lat), lon: Longitude(lon) },
        detected_at: at,
        updated_at: at,
    }
}

/// Where a thing that far ahead lies in the image of a camera that looks straight on.
fn bounding_box(thing: &Fixture, ahead_meters: f64, random: &mut Random) -> BoundingBox {
    let (image_width, image_height) = IMAGE_PIXELS;
    let scale = FOCAL_PIXELS / ahead_meters.max(4.0);
    let side = |pixels: f64, most: f64| to_parts(pixels.clamp(4.0, most), 10.0);
    let width = side(thing.class.size_meters * scale * random.between(0.6, 1.0), image_width / 2.0);
    let height = side(thing.class.size_meters * scale, image_height);
    let left = image_width / 2.0 + thing.right_meters * scale - width / 2.0;
    let top = image_height / 2.0 + random.between(-0.5, 0.5) * scale - height / 2.0;
    BoundingBox {
        x: Finite(to_parts(left.clamp(0.0, image_width - width), 10.0)),
        y: Finite(to_parts(top.clamp(0.0, image_height - height), 10.0)),
        width: Finite(width),
        height: Finite(height),
    }
}
