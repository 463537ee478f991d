//! Frames: what a vehicle's receiver and camera tell about a second of its way.

use std::fmt::Write;

use anyhow::{Context, Result};
use hexflow_dataflows::messages::citylens::Frame;
use hexflow_dataflows::messages::gps::{Gps, GpsPoint};
use hexflow_dataflows::messages::value::{Finite, Heading, Latitude, Location, Longitude};
use hexflow_dataflows::time::Instant;

use super::city::Point;
use super::id::Kind;
use super::post::Post;
use super::random::{Random, to_parts};
use super::vehicle::{Scene, Vehicle};

/// Of a receiver under an open sky, each axis.
const GPS_DEVIATION_METERS: f64 = 1.0;
/// The share of frames that come with the fixes since the frame before.
const WITH_FIXES: f64 = 0.125;

/// Writes frames, with buffers that are used again.
#[derive(Default)]
pub(super) struct Frames {
    id: String,
    image_url: String,
    fixes: Vec<u8>,
}

impl Frames {
    /// The id of the frame that was sent last.
    pub(super) fn last_id(&self) -> &str {
        &self.id
    }

    /// Sends the frame that a vehicle takes.
    pub(super) fn send(&mut self, scene: Scene<'_>, random: &mut Random, post: &mut Post) -> Result<()> {
        let Scene { at_ms, vehicle, numbers, .. } = scene;
        let trip = &vehicle.trip;
        scene.ids.write(&mut self.id, Kind::Frame, numbers.frame);
        self.image_url.clear();
        let url = "https://images.citylens.example";
        write!(self.image_url, "{url}/{}/{}/{:06}.jpg", vehicle.org_id, trip.track_id, trip.sequence)?;
        let gps = match trip.frame_before {
            Some((ago_ms, from)) if random.chance(WITH_FIXES) => {
                self.write_fixes(scene, ago_ms, from, random)?;
                Some(Gps(std::str::from_utf8(&self.fixes)?.into()))
            }
            _ => None,
        };
        let frame = Frame {
            frame_id: self.id.as_str().into(),
            track_id: trip.track_id.as_str().into(),
            sequence: trip.sequence,
            captured_at: Instant::from_ms(at_ms),
            location: location(vehicle.drive.position(), scene, random),
            heading: Some(heading(vehicle, random)),
            speed: Some(speed(vehicle, random)),
            image_url: Some(self.image_url.as_str().into()),
            gps,
            updated_at: Instant::from_ms(at_ms),
        };
        post.send(at_ms, vehicle.org_id, numbers, frame)
    }

    /// Writes two to eight fixes between the frame before and this one, the last at its time.
    fn write_fixes(&mut self, scene: Scene<'_>, ago_ms: i64, from: Point, random: &mut Random) -> Result<()> {
        let Scene { at_ms, vehicle, .. } = scene;
        let to = vehicle.drive.position();
        let count = 2 + random.below(7);
        self.fixes.clear();
        for n in 1..=count {
            self.fixes.push(if n == 1 { b'[' } else { b',' });
            let share = n as f64 / count as f64;
            let way = Point { east: to.east - from.east, north: to.north - from.north };
            let Location { lat, lon, altitude, accuracy } = location(from.plus(share, way), scene, random);
            let at = Instant::from_ms(at_ms - ago_ms + (ago_ms as f64 * share) as i64);
            let (speed, heading) = (Some(speed(vehicle, random)), Some(heading(vehicle, random)));
            let fix = GpsPoint { at, lat, lon, altitude, accuracy, speed, heading };
            serde_json::to_writer(&mut self.fixes, &fix).context("writing a frame's fixes")?;
        }
        self.fixes.push(b']');
        Ok(())
    }
}

/// What a vehicle's receiver makes of a point.
fn location(point: Point, scene: Scene<'_>, random: &mut Random) -> Location {
    let Scene { vehicle, grid, .. } = scene;
    let read = Point {
        east: point.east + random.bell(GPS_DEVIATION_METERS),
        north: point.north + random.bell(GPS_DEVIATION_METERS),
    };
    let (lat, lon) = grid.city.degrees(read);
    let altitude = grid.city.altitude_meters + random.bell(2.0);
    Location {
        lat: Latitude(lat),
        lon: Longitude(lon),
        altitude: vehicle.knows_altitude.then_some(Finite(to_parts(altitude, 10.0))),
        accuracy: vehicle.knows_accuracy.then(|| Finite(to_parts(random.between(1.5, 5.0), 10.0))),
    }
}

fn heading(vehicle: &Vehicle, random: &mut Random) -> Heading {
    let degrees = to_parts(vehicle.drive.heading_degrees() + random.bell(0.7), 10.0);
    // Rounding may reach 360 itself, which is north again.
    Heading(if degrees < 0.0 { to_parts(degrees + 360.0, 10.0) } else { degrees } % 360.0)
}

fn speed(vehicle: &Vehicle, random: &mut Random) -> Finite {
    let exact = vehicle.drive.speed_meters_per_second();
    let noise = if exact < 0.1 { 0.0 } else { random.bell(0.1) };
    Finite(to_parts((exact + noise).max(0.0), 100.0))
}
