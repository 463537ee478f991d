//! H3 cells of resolution 2, remembered by small boxes of latitude and longitude.
//!
//! A box that lies wholly in one cell answers for all its points: the great circle through each edge of the cell is
//! farther from the box's centre than any of its points, and some more. Of other boxes every point is looked up anew.

use h3o::{LatLng, Resolution};

/// Boxes to a degree.
const BOXES: f64 = 16.0;

/// How far a box's points are from its centre at most, radians: half its height and half its width.
const REACH: f64 = std::f64::consts::PI / 180.0 / BOXES;

/// What rounding may ever do, radians: some sixty metres, far more than it does.
const MARGIN: f64 = 1e-5;

/// Boxes that are remembered; one takes another's place.
const PLACES: usize = 1 << 12;

/// A cell as 15 hex digits.
pub(super) type Cell = [u8; 15];

#[derive(Clone, Copy)]
struct Known {
    at: [u16; 2],
    /// None if it is not of one cell.
    cell: Option<Cell>,
}

/// Finds cells.
pub(super) struct Cells(Box<[Known]>);

impl Default for Cells {
    fn default() -> Self {
        Cells(vec![Known { at: [u16::MAX; 2], cell: None }; PLACES].into_boxed_slice())
    }
}

impl Cells {
    /// The cell of a point, given in degrees.
    #[inline]
    pub(super) fn find(&mut self, lat: f64, lon: f64) -> Option<Cell> {
        if !(lat.abs() <= 90.0 && lon.abs() <= 180.0) {
            return cell_of(lat, lon).map(hex);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 5,760")]
        let at = [((lat + 90.0) * BOXES) as u16, ((lon + 180.0) * BOXES) as u16];
        let place = (usize::from(at[0]) * 67 + usize::from(at[1])) % PLACES;
        if self.0[place].at != at {
            let cell = cell_of(lat, lon)?;
            self.0[place] = Known { at, cell: holds(cell, at).then(|| hex(cell)) };
        }
        self.0[place].cell.or_else(|| cell_of(lat, lon).map(hex))
    }
}

fn cell_of(lat: f64, lon: f64) -> Option<h3o::CellIndex> {
    Some(LatLng::new(lat, lon).ok()?.to_cell(Resolution::Two))
}

/// The 15 hex digits of a cell.
fn hex(cell: h3o::CellIndex) -> Cell {
    std::array::from_fn(|at| b"0123456789abcdef"[(u64::from(cell) >> (4 * (14 - at)) & 0xf) as usize])
}

/// Whether a cell holds a whole box.
fn holds(cell: h3o::CellIndex, at: [u16; 2]) -> bool {
    let [lat, lon] = at.map(|at| (f64::from(at) + 0.5) / BOXES);
    let centre = on_sphere((lat - 90.0).to_radians(), (lon - 180.0).to_radians());
    let corners: Vec<_> =
        cell.boundary().iter().map(|corner| on_sphere(corner.lat_radians(), corner.lng_radians())).collect();
    // Corners go anticlockwise, so that what is inside lies to the left of every edge.
    corners.iter().zip(corners.iter().cycle().skip(1)).all(|(&from, &to)| {
        let normal = cross(from, to);
        dot(normal, centre) / dot(normal, normal).sqrt() > (REACH + MARGIN).sin()
    })
}

fn on_sphere(lat: f64, lon: f64) -> [f64; 3] {
    [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random numbers of 0 to 1.
    fn units(mut seed: u64) -> impl FnMut() -> f64 {
        move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 11) as f64 / (1u64 << 53) as f64
        }
    }

    /// Asks for points near one another, so that a box which one makes known answers for the next.
    fn check(cells: &mut Cells, unit: &mut impl FnMut() -> f64, lat: f64, lon: f64, spread: f64) {
        for _ in 0..8 {
            let lat = (lat + (unit() - 0.5) * spread).clamp(-90.0, 90.0);
            let lon = lon + (unit() - 0.5) * spread / lat.to_radians().cos().max(0.01);
            let lon = if lon > 180.0 {
                lon - 360.0
            } else if lon < -180.0 {
                lon + 360.0
            } else {
                lon
            };
            let expected = hex(cell_of(lat, lon).unwrap());
            assert_eq!(cells.find(lat, lon), Some(expected), "{lat} {lon}");
        }
    }

    #[test]
    fn cells_anywhere_and_at_poles_and_the_antimeridian() {
        let (mut cells, mut unit) = (Cells::default(), units(1));
        for _ in 0..15_000 {
            let lat = (2.0 * unit() - 1.0).asin().to_degrees();
            let lon = 360.0 * unit() - 180.0;
            check(&mut cells, &mut unit, lat, lon, 0.12);
            check(&mut cells, &mut unit, lat, 180.0, 0.12);
            check(&mut cells, &mut unit, 90.0f64.copysign(lat), lon, 1.0);
        }
        for lat in [-90.0, -0.0, 0.0, 90.0] {
            for lon in [-180.0, -0.0, 0.0, 180.0] {
                assert_eq!(cells.find(lat, lon), cell_of(lat, lon).map(hex));
            }
        }
        assert_eq!(cells.find(f64::NAN, 0.0), None);
    }

    /// Along all edges of all cells: at some the icosahedron's faces meet, at some its corners.
    #[test]
    fn cells_near_every_border() {
        let (mut cells, mut unit) = (Cells::default(), units(2));
        for base in h3o::CellIndex::base_cells() {
            for cell in base.children(Resolution::Two) {
                let corners = cell.boundary();
                for (from, to) in corners.iter().zip(corners.iter().cycle().skip(1)) {
                    if (from.lng() - to.lng()).abs() < 90.0 {
                        let share = unit();
                        let at = |from: f64, to: f64| from + (to - from) * share;
                        check(&mut cells, &mut unit, at(from.lat(), to.lat()), at(from.lng(), to.lng()), 0.3);
                        check(&mut cells, &mut unit, from.lat(), from.lng(), 0.3);
                    }
                }
            }
        }
    }

    #[test]
    fn most_boxes_are_of_one_cell() {
        let mut unit = units(3);
        let inside = (0..10_000).filter(|_| {
            let (lat, lon) = (120.0 * unit() - 60.0, 360.0 * unit() - 180.0);
            let at = [((lat + 90.0) * BOXES) as u16, ((lon + 180.0) * BOXES) as u16];
            holds(cell_of(lat, lon).unwrap(), at)
        });
        let inside = inside.count();
        assert!(inside > 8_500, "{inside}");
    }
}
