//! What stands along the streets, at the same places for every vehicle, trip and seed.

use super::city::Point;
use super::random::{mix, place, signed_unit, unit};
use super::street::Segment;

/// The detectors; a class is one's own, and another's now and then.
pub(super) const DETECTORS: [&str; 3] = ["signs-v3", "assets-v2", "surface-v1"];

/// A kind of thing that detectors know.
#[derive(Debug)]
pub(super) struct Class {
    /// As detections name it.
    pub(super) name: &'static str,
    /// Which of [`DETECTORS`] is made for it.
    pub(super) detector: usize,
    /// Its height or extent, metres.
    pub(super) size_meters: f64,
    /// Nearest and furthest from the street's middle, metres.
    beside_meters: (f64, f64),
}

const fn class(name: &'static str, detector: usize, size_meters: f64, near: f64, far: f64) -> Class {
    Class { name, detector, size_meters, beside_meters: (near, far) }
}

/// The classes; the first stands at crossings with lights, the others anywhere.
pub(super) const CLASSES: [Class; 20] = [
    class("traffic_light", 0, 0.9, 5.0, 7.0),
    class("stop_sign", 0, 0.7, 5.0, 7.0),
    class("yield_sign", 0, 0.8, 5.0, 7.0),
    class("speed_limit_sign", 0, 0.6, 5.0, 7.0),
    class("no_parking_sign", 0, 0.5, 5.0, 7.0),
    class("one_way_sign", 0, 0.5, 5.0, 7.0),
    class("crosswalk_sign", 0, 0.7, 5.0, 7.0),
    class("street_name_sign", 0, 0.8, 5.0, 8.0),
    class("hydrant", 1, 0.8, 6.0, 8.0),
    class("street_lamp", 1, 7.0, 6.0, 8.0),
    class("utility_pole", 1, 9.0, 6.0, 9.0),
    class("bollard", 1, 0.9, 5.5, 7.0),
    class("bench", 1, 1.6, 7.0, 9.0),
    class("waste_bin", 1, 1.1, 6.0, 8.0),
    class("billboard", 1, 4.0, 9.0, 12.0),
    class("manhole", 2, 0.7, 0.0, 4.0),
    class("pothole", 2, 0.6, 0.0, 4.0),
    class("road_crack", 2, 1.8, 0.0, 4.0),
    class("faded_marking", 2, 2.5, 0.0, 4.0),
    class("drain", 2, 0.6, 4.0, 5.0),
];

/// One thing, as a driver on a segment sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixture {
    /// What it is.
    pub(super) class: &'static Class,
    /// Where it stands.
    pub(super) at: Point,
    /// How far along the drive, metres.
    pub(super) along_meters: f64,
    /// How far to the right, metres.
    pub(super) right_meters: f64,
}

/// Appends what stands along a segment that begins `offset_meters` ahead. Never nothing: six to fourteen things.
pub(super) fn along(segment: &Segment, lights: [bool; 2], offset_meters: f64, fixtures: &mut Vec<Fixture>) {
    let count = 6 + segment.place % 9;
    let lights = if segment.outward { lights } else { [lights[1], lights[0]] };
    for n in 0..count {
        let bits = place(&[segment.place, n]);
        // The first and last slot are the crossings' own where they have lights.
        let class = match (n == 0 && lights[0]) || (n == count - 1 && lights[1]) {
            true => &CLASSES[0],
            false => &CLASSES[1 + (bits % (CLASSES.len() as u64 - 1)) as usize],
        };
        let share = (n as f64 + unit(mix(bits))) / count as f64;
        let (near, far) = class.beside_meters;
        let side = signed_unit(mix(bits ^ 1));
        let beside = (near + (far - near) * side.abs()) * side.signum();
        // Places are reckoned from the grid's corner and turned round for who drives the other way.
        let (share, beside) = if segment.outward { (share, beside) } else { (1.0 - share, -beside) };
        let along_meters = share * segment.length_meters;
        let right = Point { east: segment.along.north, north: -segment.along.east };
        fixtures.push(Fixture {
            class,
            at: segment.from.plus(along_meters, segment.along).plus(beside, right),
            along_meters: offset_meters + along_meters,
            right_meters: beside,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::city::CITIES;
    use crate::generate::street::Grid;

    /// Objects are found again by place and class: both must be the same from either side.
    #[test]
    fn things_stand_still_whichever_way_one_drives() {
        let grid = Grid::new(3, &CITIES[3]);
        let (mut there, mut back) = (Vec::new(), Vec::new());
        along(&grid.segment((5, 6), (5, 7), 0), [true, false], 0.0, &mut there);
        along(&grid.segment((5, 7), (5, 6), 2), [false, true], 300.0, &mut back);
        assert!(there.len() >= 6 && there.len() == back.len());
        for (one, other) in there.iter().zip(&back) {
            assert_eq!(one.class.name, other.class.name);
            assert!((one.at.east - other.at.east).hypot(one.at.north - other.at.north) < 1e-6);
            assert!((one.right_meters + other.right_meters).abs() < 1e-9 && other.along_meters >= 300.0);
        }
        assert_eq!(there[0].class.name, "traffic_light");
    }
}
