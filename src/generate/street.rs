//! A city's street grid: straight streets and avenues, each with its own bearing, that cross about every 120 m.
//!
//! ```text
//!   j+1 --+--------+--     streets run up the grid:     x = across(i) + slope(i) y
//!         | block  |       avenues run along it:        y = across(j) + slope(j) x
//!   j   --+--------+--     the grid is turned by the city's bearing
//!         i       i+1
//! ```

use super::city::{City, Point, sine_and_cosine};
use super::random::{place, signed_unit, unit};

/// Crossings on each side of the grid: a city is about 5 km wide.
pub(super) const CROSSINGS: u64 = 41;
const BLOCK_METERS: f64 = 120.0;

/// A street or an avenue.
#[derive(Clone, Copy, Debug)]
struct Line {
    /// Where it passes the grid's middle, metres.
    across: f64,
    /// Metres it drifts across for each metre along.
    slope: f64,
}

/// A city and its streets. The same for every seed, so that dumps of two seeds see the same things.
#[derive(Debug)]
pub(super) struct Grid {
    /// The city it lies in.
    pub(super) city: &'static City,
    number: u64,
    /// Sine and cosine of the city's bearing.
    turn: (f64, f64),
    /// Streets, then avenues.
    lines: [Vec<Line>; 2],
}

/// A crossing of street `i` and avenue `j`.
pub(super) type Crossing = (u64, u64);

/// A quarter of the grid's compass: 0 up, 1 right, 2 down, 3 left.
pub(super) type Quarter = u64;

/// A block's side, from one crossing to the next, in the sense it is driven.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    /// Its first crossing.
    pub(super) from: Point,
    /// A metre along it.
    pub(super) along: Point,
    /// From crossing to crossing.
    pub(super) length_meters: f64,
    /// Degrees clockwise from north.
    pub(super) heading_degrees: f64,
    /// What drivers keep to on it, m/s.
    pub(super) cruise_meters_per_second: f64,
    /// The same whichever way it is driven.
    pub(super) place: u64,
    /// It is driven away from the grid's corner.
    pub(super) outward: bool,
}

impl Grid {
    /// The streets of the city of that number.
    pub(super) fn new(number: u64, city: &'static City) -> Self {
        let line = |axis: u64, n: u64| {
            let bits = place(&[number, axis, n]);
            Line {
                across: (n as f64 - (CROSSINGS / 2) as f64) * BLOCK_METERS + 15.0 * signed_unit(bits),
                slope: 0.008 * signed_unit(super::random::mix(bits)),
            }
        };
        let lines = [0, 1].map(|axis| (0..CROSSINGS).map(|n| line(axis, n)).collect());
        Grid { city, number, turn: sine_and_cosine(city.bearing_degrees), lines }
    }

    /// Where a street crosses an avenue.
    pub(super) fn point(&self, (i, j): Crossing) -> Point {
        let (street, avenue) = (self.lines[0][i as usize], self.lines[1][j as usize]);
        let x = (street.across + street.slope * avenue.across) / (1.0 - street.slope * avenue.slope);
        let y = avenue.across + avenue.slope * x;
        let (sine, cosine) = self.turn;
        Point { east: x * cosine + y * sine, north: y * cosine - x * sine }
    }

    /// The crossing one block further, unless the city ends there.
    pub(super) fn next(&self, (i, j): Crossing, quarter: Quarter) -> Option<Crossing> {
        let (i, j) = match quarter {
            0 => (i, j + 1),
            1 => (i + 1, j),
            2 => (i, j.checked_sub(1)?),
            _ => (i.checked_sub(1)?, j),
        };
        (i < CROSSINGS && j < CROSSINGS).then_some((i, j))
    }

    /// The block's side between two neighbours.
    pub(super) fn segment(&self, from: Crossing, to: Crossing, quarter: Quarter) -> Segment {
        let (start, end) = (self.point(from), self.point(to));
        let (east, north) = (end.east - start.east, end.north - start.north);
        let length_meters = (east * east + north * north).sqrt();
        let axis = quarter % 2;
        let line_number = if axis == 0 { from.0 } else { from.1 };
        let corner = (from.0.min(to.0), from.1.min(to.1));
        let cruise = place(&[self.number, axis, line_number, 1]);
        Segment {
            from: start,
            along: Point { east: east / length_meters, north: north / length_meters },
            length_meters,
            heading_degrees: self.heading_degrees(self.lines[axis as usize][line_number as usize], quarter),
            cruise_meters_per_second: 9.0 + 6.0 * unit(cruise),
            place: place(&[self.number, axis, corner.0, corner.1, 2]),
            outward: quarter < 2,
        }
    }

    fn heading_degrees(&self, line: Line, quarter: Quarter) -> f64 {
        // A slope is its own angle but for a third of its cube, which is below a millionth of a degree here.
        let drift = line.slope.to_degrees();
        let drift = if quarter.is_multiple_of(2) { drift } else { -drift };
        let heading = self.city.bearing_degrees + 90.0 * quarter as f64 + drift;
        if heading < 0.0 { heading + 360.0 } else { heading % 360.0 }
    }

    /// Whether lights stand at a crossing: at two of three.
    pub(super) fn has_lights(&self, (i, j): Crossing) -> bool {
        !place(&[self.number, i, j, 3]).is_multiple_of(3)
    }

    /// Whether who arrives at a crossing by a quarter has a red light; each turns half of its 50 to 90 s.
    pub(super) fn is_red(&self, (i, j): Crossing, quarter: Quarter, at_ms: i64) -> bool {
        let bits = place(&[self.number, i, j, 4]);
        let cycle_ms = 50_000 + (bits % 40_000) as i64;
        let phase_ms = (at_ms + (bits >> 32) as i64).rem_euclid(cycle_ms);
        self.has_lights((i, j)) && (phase_ms * 2 < cycle_ms) == quarter.is_multiple_of(2)
    }

    /// Metres from a point to the nearest street or avenue.
    #[cfg(test)]
    pub(super) fn meters_to_street(&self, point: Point) -> f64 {
        let (sine, cosine) = self.turn;
        let (x, y) = (point.east * cosine - point.north * sine, point.east * sine + point.north * cosine);
        let distance = |line: &Line, along: f64, across: f64| {
            (across - line.across - line.slope * along).abs() / (1.0 + line.slope * line.slope).sqrt()
        };
        let streets = self.lines[0].iter().map(|line| distance(line, y, x));
        let avenues = self.lines[1].iter().map(|line| distance(line, x, y));
        streets.chain(avenues).fold(f64::INFINITY, f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::city::CITIES;

    #[test]
    fn segments_join_lie_on_streets_and_head_where_they_go() {
        for (number, city) in CITIES.iter().enumerate() {
            let grid = Grid::new(number as u64, city);
            for (n, quarter) in (0..400u64).map(|n| (n, n % 4)) {
                let from = (1 + n * 7 % 39, 1 + n * 11 % 39);
                let to = grid.next(from, quarter).expect("inside");
                let segment = grid.segment(from, to, quarter);
                assert!((40.0..200.0).contains(&segment.length_meters), "{segment:?}");
                let middle = segment.from.plus(segment.length_meters / 2.0, segment.along);
                assert!(grid.meters_to_street(middle) < 1e-6, "{segment:?}");
                let heading = segment.along.east.atan2(segment.along.north).to_degrees().rem_euclid(360.0);
                assert!((heading - segment.heading_degrees).abs() < 1e-4, "{heading} {segment:?}");
                let back = grid.segment(to, from, (quarter + 2) % 4);
                assert_eq!((back.place, back.outward), (segment.place, !segment.outward));
            }
            assert_eq!(grid.next((0, 0), 3), None);
            assert_eq!(grid.next((40, 40), 0), None);
        }
    }
}
