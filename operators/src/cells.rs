//! Cells of points, remembered by small boxes: what moves through a city asks for the same few cells again and again.
//!
//! A box that lies wholly in one cell answers for every point in it; near a cell's border each point is computed. That a
//! box lies in a cell is proven, not sampled: an H3 cell's edges are great circles, so a box is within if its centre is
//! farther inside each of them than the box reaches.

use h3o::{CellIndex, LatLng, Resolution};

/// Boxes of a degree: one is at most 3.5 km high and wide.
const BOXES_PER_DEGREE: f64 = 32.0;

/// Boxes remembered: 256 KiB.
const SLOTS: usize = 1 << 14;

/// Added to a box's reach for what floating point leaves uncertain, radians: 6 m.
const MARGIN_RADIANS: f64 = 1e-6;

/// What is known of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// It was asked for once: a proof costs as much as several answers, and may never pay.
    Asked,
    /// A border may run through it.
    Border,
    /// It lies in this cell.
    Within(u64),
}

/// Computes cells of one resolution.
///
/// ```
/// # use hexflow_operators::cells::Cells;
/// let mut cells = Cells::new(2).unwrap();
/// for _ in 0..3 {
///     let cell = cells.of(33.60716, -117.91483).unwrap();
///     assert_eq!(format!("{cell:x}"), "8229a7fffffffff");
/// }
/// assert_eq!(cells.of(f64::NAN, 0.0), None);
/// ```
#[derive(Debug)]
pub struct Cells {
    resolution: Resolution,
    /// By the hash of a box's number: the box's number, and what is known.
    slots: Vec<(u32, Known)>,
}

impl Cells {
    /// Nothing known yet; `None` if there is no such resolution.
    pub fn new(resolution: u8) -> Option<Self> {
        let resolution = Resolution::try_from(resolution).ok()?;
        Some(Cells { resolution, slots: vec![(u32::MAX, Known::Asked); SLOTS] })
    }

    /// The cell of a point, as its 64-bit index; `None` where a coordinate is not finite.
    #[inline]
    pub fn of(&mut self, lat: f64, lon: f64) -> Option<u64> {
        let number = box_of(lat, lon)?;
        match self.slots[slot(number)] {
            (known, Known::Within(cell)) if known == number => Some(cell),
            _ => self.learn(number, lat, lon),
        }
    }

    #[cold]
    fn learn(&mut self, number: u32, lat: f64, lon: f64) -> Option<u64> {
        let cell = LatLng::new(lat, lon).ok()?.to_cell(self.resolution);
        let slot = &mut self.slots[slot(number)];
        *slot = match *slot {
            (known, Known::Asked) if known == number => {
                (number, if lies_within(number, cell) { Known::Within(cell.into()) } else { Known::Border })
            }
            (known, Known::Border) if known == number => (number, Known::Border),
            _ => (number, Known::Asked),
        };
        Some(cell.into())
    }
}

/// The number of the box that a point lies in, if it is a point at all.
fn box_of(lat: f64, lon: f64) -> Option<u32> {
    if !lat.is_finite() || !lon.is_finite() {
        return None;
    }
    let row = ((lat.clamp(-90.0, 90.0) + 90.0) * BOXES_PER_DEGREE).floor();
    let column = ((lon.clamp(-180.0, 180.0) + 180.0) * BOXES_PER_DEGREE).floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=5760 and 0..=11520")]
    Some((row as u32) << 16 | column as u32)
}

fn slot(number: u32) -> usize {
    number.wrapping_mul(0x9e37_79b1) as usize >> 18
}

/// Whether a box lies in `cell` as a whole. `false` says nothing.
fn lies_within(number: u32, cell: CellIndex) -> bool {
    let middle = |index: u32| (f64::from(index) + 0.5) / BOXES_PER_DEGREE;
    let centre = unit(middle(number >> 16) - 90.0, middle(number & 0xffff) - 180.0);
    // From the centre to any of its points: at most half its height along a meridian, and half its width along a parallel.
    let reach = (1.0 / BOXES_PER_DEGREE).to_radians() + MARGIN_RADIANS;
    let corners: Vec<_> = cell.boundary().iter().map(|corner| unit(corner.lat(), corner.lng())).collect();
    let edges = corners.iter().zip(corners.iter().cycle().skip(1));
    // Corners run counter-clockwise: inside is to the left of each edge.
    let mut inside = edges.map(|(from, to)| dot(normal(cross(*from, *to)), centre));
    !cell.is_pentagon() && inside.all(|distance| distance > reach.sin())
}

/// The unit vector of a point on the sphere.
fn unit(lat: f64, lon: f64) -> [f64; 3] {
    let ((lat_sin, lat_cos), (lon_sin, lon_cos)) = (lat.to_radians().sin_cos(), lon.to_radians().sin_cos());
    [lat_cos * lon_cos, lat_cos * lon_sin, lat_sin]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn normal(a: [f64; 3]) -> [f64; 3] {
    let length = dot(a, a).sqrt();
    a.map(|part| part / length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::cell_of;

    /// Asks often enough about each place that its box is proven or not, then about points all over the box.
    fn check(cells: &mut Cells, lat: f64, lon: f64) {
        let near = |at: f64, n: u32| {
            (at * BOXES_PER_DEGREE).floor() / BOXES_PER_DEGREE + f64::from(n) / 7.0 / BOXES_PER_DEGREE
        };
        for (row, column) in (0..8).flat_map(|row| (0..8).map(move |column| (row, column))) {
            let (lat, lon) = (near(lat, row).clamp(-90.0, 90.0), near(lon, column).clamp(-180.0, 180.0));
            assert_eq!(cells.of(lat, lon), cell_of(lat, lon, 2), "{lat} {lon}");
        }
    }

    #[test]
    fn every_box_of_the_globe_answers_as_h3_does() {
        let mut cells = Cells::new(2).unwrap();
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        for _ in 0..4_000 {
            check(&mut cells, (random() * 2.0 - 1.0).asin().to_degrees(), random() * 360.0 - 180.0);
        }
        for lat in [-90.0, -89.99, 0.0, 89.97, 90.0] {
            for lon in [-180.0, -179.99, -0.01, 0.0, 179.98, 180.0] {
                check(&mut cells, lat, lon);
            }
        }
        let within = cells.slots.iter().filter(|(_, known)| matches!(known, Known::Within(_))).count();
        let border = cells.slots.iter().filter(|(_, known)| *known == Known::Border).count();
        assert!(within > 10 * border, "{within} boxes lie within a cell, {border} may not");
    }

    /// Around corners and edges of cells, and in the twelve pentagons, whose neighbourhoods are the icosahedron's corners.
    #[test]
    fn borders_and_pentagons_are_exact() {
        let mut cells = Cells::new(2).unwrap();
        let pentagons = Resolution::Two.pentagons();
        for cell in pentagons.flat_map(|cell| cell.grid_disk::<Vec<_>>(2)) {
            let corners: Vec<_> = cell.boundary().iter().copied().collect();
            for (from, to) in corners.iter().zip(corners.iter().cycle().skip(1)) {
                for part in [0.0, 0.5] {
                    let along = |from: f64, to: f64| from + (to - from) * part;
                    check(&mut cells, along(from.lat(), to.lat()), along(from.lng(), to.lng()));
                }
            }
            check(&mut cells, LatLng::from(cell).lat(), LatLng::from(cell).lng());
        }
    }
}
