//! How a vehicle moves: along streets, no faster than it can brake for what is ahead, stopping at red lights and
//! slowing for turns. The rule is Krauss's car-following model with the stop line as the car ahead.

use super::city::Point;
use super::fixture::{self, Fixture};
use super::random::Random;
use super::street::{CROSSINGS, Crossing, Grid, Quarter, Segment};

const SPEEDING_UP: f64 = 1.8; // m/s²
const BRAKING: f64 = 2.2; // m/s², of a driver who sees the need
const HARD_BRAKING: f64 = 4.5; // m/s², beyond which an amber light is driven through
const TURNING: f64 = 4.5; // m/s
const STOP_LINE_METERS: f64 = 6.0; // before the crossing's middle
const LONGEST_STEP_SECONDS: f64 = 1.0;

/// A vehicle on its way.
#[derive(Debug)]
pub(super) struct Drive {
    /// The crossing behind, the one ahead, and the quarter it is driven in.
    behind: Crossing,
    ahead: Crossing,
    quarter: Quarter,
    /// Where it goes at the crossing ahead.
    next_quarter: Quarter,
    segment: Segment,
    along_meters: f64,
    speed_meters_per_second: f64,
    /// What stands along this segment and the next.
    fixtures: Vec<Fixture>,
}

impl Drive {
    /// A vehicle at rest somewhere in a city.
    pub(super) fn new(grid: &Grid, random: &mut Random) -> Self {
        // One off the edge, so that every quarter leads on.
        let behind = (1 + random.below(CROSSINGS - 2), 1 + random.below(CROSSINGS - 2));
        let quarter = random.below(4);
        let ahead = grid.next(behind, quarter).unwrap_or(behind);
        let segment = grid.segment(behind, ahead, quarter);
        let mut drive = Drive {
            behind,
            ahead,
            quarter,
            next_quarter: quarter,
            segment,
            along_meters: random.unit() * segment.length_meters / 2.0,
            speed_meters_per_second: 0.0,
            fixtures: Vec::new(),
        };
        drive.look_ahead(grid, random);
        drive
    }

    /// Where it is.
    pub(super) fn position(&self) -> Point {
        self.segment.from.plus(self.along_meters, self.segment.along)
    }

    /// m/s.
    pub(super) fn speed_meters_per_second(&self) -> f64 {
        self.speed_meters_per_second
    }

    /// Degrees clockwise from north.
    pub(super) fn heading_degrees(&self) -> f64 {
        self.segment.heading_degrees
    }

    /// How far along its segment it is, metres; what [`Drive::fixtures`] measures from.
    pub(super) fn along_meters(&self) -> f64 {
        self.along_meters
    }

    /// What stands along this segment and the next; never nothing.
    pub(super) fn fixtures(&self) -> &[Fixture] {
        &self.fixtures
    }

    /// Stops where it is: a trip is over.
    pub(super) fn park(&mut self) {
        self.speed_meters_per_second = 0.0;
    }

    /// Drives on for `ms` milliseconds from `at_ms`; returns the metres driven.
    pub(super) fn advance(&mut self, grid: &Grid, at_ms: i64, ms: i64, random: &mut Random) -> f64 {
        let steps = (ms as f64 / 1e3 / LONGEST_STEP_SECONDS).ceil().max(1.0);
        let seconds = ms as f64 / 1e3 / steps;
        (0..steps as i64).map(|step| self.step(grid, at_ms + ms * step / steps as i64, seconds, random)).sum()
    }

    fn step(&mut self, grid: &Grid, at_ms: i64, seconds: f64, random: &mut Random) -> f64 {
        let speed = self.speed_meters_per_second;
        let at_crossing = if self.next_quarter == self.quarter { f64::INFINITY } else { TURNING };
        let to_line = self.segment.length_meters - STOP_LINE_METERS - self.along_meters;
        let mut safe = safe_speed(at_crossing, to_line, seconds);
        if to_line >= 0.0 && grid.is_red(self.ahead, self.quarter, at_ms) {
            let stopping = safe_speed(0.0, to_line, seconds);
            if stopping >= speed - HARD_BRAKING * seconds {
                safe = stopping;
            }
        }
        let wanted = (speed + SPEEDING_UP * seconds).min(self.segment.cruise_meters_per_second).min(safe);
        let speed = wanted.max(speed - HARD_BRAKING * seconds).max(0.0);
        self.speed_meters_per_second = speed;
        self.along_meters += speed * seconds;
        while self.along_meters >= self.segment.length_meters {
            self.along_meters -= self.segment.length_meters;
            self.cross(grid, random);
        }
        speed * seconds
    }

    /// Passes the crossing ahead.
    fn cross(&mut self, grid: &Grid, random: &mut Random) {
        self.behind = self.ahead;
        self.quarter = self.next_quarter;
        self.ahead = grid.next(self.behind, self.quarter).unwrap_or(self.behind);
        self.segment = grid.segment(self.behind, self.ahead, self.quarter);
        self.look_ahead(grid, random);
    }

    /// Chooses where to go at the crossing ahead: straight on rather than aside, and never off the grid.
    fn look_ahead(&mut self, grid: &Grid, random: &mut Random) {
        let aside = if random.chance(0.5) { 1 } else { 3 };
        let straight = if random.chance(0.65) { 0 } else { aside };
        let ways = [straight, aside, 4 - aside].map(|turn| (self.quarter + turn) % 4);
        let way = ways.into_iter().find_map(|quarter| Some((quarter, grid.next(self.ahead, quarter)?)));
        self.fixtures.clear();
        let lights = [self.behind, self.ahead].map(|crossing| grid.has_lights(crossing));
        fixture::along(&self.segment, lights, 0.0, &mut self.fixtures);
        if let Some((quarter, beyond)) = way {
            self.next_quarter = quarter;
            let next = grid.segment(self.ahead, beyond, quarter);
            let lights = [lights[1], grid.has_lights(beyond)];
            fixture::along(&next, lights, self.segment.length_meters, &mut self.fixtures);
        }
    }
}

/// The fastest speed, m/s, from which `then` m/s is still reached within `meters` by ordinary braking, a step late.
fn safe_speed(then: f64, meters: f64, step_seconds: f64) -> f64 {
    let late = BRAKING * step_seconds;
    (late * late + then * then + 2.0 * BRAKING * meters.max(0.0)).sqrt() - late
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::city::CITIES;

    #[test]
    fn drives_on_streets_at_plausible_speeds_with_stops_and_turns() {
        let (grid, mut random) = (Grid::new(1, &CITIES[1]), Random::new(3, 0));
        let mut drive = Drive::new(&grid, &mut random);
        let (mut stops, mut turns, mut meters) = (0, 0, 0.0);
        for second in 0..20_000 {
            let (speed, heading, from) = (drive.speed_meters_per_second(), drive.heading_degrees(), drive.position());
            let driven = drive.advance(&grid, second * 1000, 1000, &mut random);
            let to = drive.position();
            assert!((to.east - from.east).hypot(to.north - from.north) <= driven + 1e-6);
            let change = drive.speed_meters_per_second() - speed;
            assert!((-HARD_BRAKING - 1e-9..=SPEEDING_UP + 1e-9).contains(&change), "{change}");
            assert!((0.0..=15.0).contains(&drive.speed_meters_per_second()));
            assert!(grid.meters_to_street(to) < 1e-6 && !drive.fixtures().is_empty());
            stops += usize::from(speed > 0.5 && drive.speed_meters_per_second() <= 0.5);
            turns += usize::from((drive.heading_degrees() - heading).abs() > 45.0);
            meters += driven;
        }
        assert!(stops > 50 && turns > 100, "{stops} stops, {turns} turns");
        assert!((3.0..12.0).contains(&(meters / 20_000.0)), "{meters}");
    }
}
