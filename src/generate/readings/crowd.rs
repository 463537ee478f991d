//! The crowd: all travelers, each read, resting or on its way to a sensor in its time.
//!
//! ```text
//!   away -- longer than the gap --> reading, .. rest, no longer than the gap, .. reading --> away, or replaced
//! ```
//!
//! Who is near a sensor is read so often that all together are read at the rate that was asked for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use anyhow::Result;

use super::courier::Courier;
use super::movement::Movement;
use super::traveler::Traveler;
use crate::generate::args::{Options, ensure_writable};
use crate::generate::id::{Ids, Kind};
use crate::generate::random::Random;
use crate::generate::summary::Summary;

/// The id of the first sensor.
const FIRST_SENSOR: i64 = 1_000;
/// The share of travelers who are near a sensor: as long as visits last, and what is between them.
const NEAR: f64 = 0.35;
/// Of a visit without its rest, in gaps.
const VISIT_GAPS: (f64, f64) = (0.25, 3.0);
/// Between two visits, in gaps.
const AWAY_GAPS: (f64, f64) = (1.02, 5.0);
/// The share of readings that are followed by another of the same instant.
const TWICE: f64 = 0.01;
/// The share of visits with a rest, and of rests that last the gap to the millisecond.
const RESTING: f64 = 0.2;
const AS_LONG_AS_THE_GAP: f64 = 0.1;
/// The share of next visits to the same sensor, and to one beside it.
const SAME: f64 = 0.3;
const BESIDE: f64 = 0.55;

/// A visit at a sensor; its instants are µs since the start.
#[derive(Clone, Copy, Debug)]
struct Visit {
    read_us: i64,
    rests_us: i64,
    leaves_us: i64,
    is_resting: bool,
}

/// A traveler and where it is.
#[derive(Debug)]
struct Walker {
    traveler: Traveler,
    /// The sensor that it is at, or goes to.
    sensor: u64,
    visit: Option<Visit>,
}

/// All who are about.
pub(in crate::generate) struct Crowd {
    sensors: u64,
    gap_us: f64,
    /// Between two readings of all together.
    interval_us: f64,
    start_ms: i64,
    readings_left: u64,
    walkers: Vec<Walker>,
    /// When each acts next, the soonest first; of two at once the one of lower number.
    agenda: BinaryHeap<Reverse<(i64, usize)>>,
    /// How many are being read.
    near: u64,
    /// Travelers so far.
    travelers: u64,
    ids: Ids,
    random: Random,
    courier: Courier<Movement>,
}

impl Crowd {
    /// Travelers about to begin, as many of them near a sensor as later.
    pub(in crate::generate) fn new(args: &Options) -> Result<Self> {
        let gap_us = args.sensors.visit_gap.as_micros() as f64;
        let interval_us = 1e6 / args.rate();
        // One alone is away more than twice as long as it is near.
        let span_us = args.sensors.readings as f64 * interval_us * 10.0 + gap_us * 100.0;
        let span_ms = span_us / 1e3 + args.delays.longest_ms() as f64;
        ensure_writable(args.start, span_ms, "fewer --readings or a higher --rate")?;
        let mut crowd = Crowd {
            sensors: u64::from(args.sensors.sensors),
            gap_us,
            interval_us,
            start_ms: args.start.ms,
            readings_left: args.sensors.readings,
            walkers: Vec::new(),
            agenda: BinaryHeap::new(),
            near: 0,
            travelers: 0,
            ids: Ids::new(args.seed),
            random: Random::new(args.seed, 0),
            courier: Courier::new(args)?,
        };
        for slot in 0..args.sensors.travelers as usize {
            let gaps = match crowd.random.chance(NEAR) {
                true => crowd.random.between(0.0, 0.01),
                false => crowd.random.between(0.0, AWAY_GAPS.1),
            };
            let walker = crowd.newcomer();
            crowd.walkers.push(walker);
            let begins_us = if slot == 0 { 0 } else { (gaps * gap_us) as i64 };
            crowd.agenda.push(Reverse((begins_us, slot)));
        }
        Ok(crowd)
    }

    /// Runs until all readings are made.
    pub(in crate::generate) fn run(mut self) -> Result<Summary> {
        while self.readings_left > 0
            && let Some(Reverse((at_us, slot))) = self.agenda.pop()
        {
            let visit = self.arrive(at_us, slot);
            self.read(at_us, slot)?;
            let next_us = self.go_on(at_us, slot, visit);
            self.agenda.push(Reverse((next_us, slot)));
        }
        self.courier.finish(None)
    }

    /// Someone who has not been about before.
    fn newcomer(&mut self) -> Walker {
        let id = self.ids.bits(Kind::Traveler, self.travelers);
        self.travelers += 1;
        let traveler = Traveler::new(id, &mut self.random);
        Walker { traveler, sensor: self.any_sensor(), visit: None }
    }

    /// Brings a walker to where it is next read; returns the visit that this is part of.
    fn arrive(&mut self, at_us: i64, slot: usize) -> Visit {
        let (walker, random) = (&mut self.walkers[slot], &mut self.random);
        let Some(visit) = walker.visit else {
            walker.traveler.enter(random);
            self.near += 1;
            let lasts_us = random.between(VISIT_GAPS.0, VISIT_GAPS.1) * self.gap_us;
            let rests_us = if random.chance(RESTING) { random.unit() * lasts_us } else { f64::INFINITY };
            let after = |us: f64| at_us.saturating_add(us as i64);
            return Visit { read_us: at_us, rests_us: after(rests_us), leaves_us: after(lasts_us), is_resting: false };
        };
        if visit.is_resting {
            self.near += 1;
        } else {
            walker.traveler.advance((at_us - visit.read_us) as f64 / 1e6, random);
        }
        Visit { read_us: at_us, is_resting: false, ..visit }
    }

    /// Reads a walker, and now and then once more: of several readings of an instant the last to arrive counts.
    fn read(&mut self, at_us: i64, slot: usize) -> Result<()> {
        let times = if self.random.chance(TWICE) { 2 } else { 1 };
        for _ in 0..times.min(self.readings_left) {
            let walker = &self.walkers[slot];
            let (x_cm, y_cm) = walker.traveler.seen_at(&mut self.random);
            self.courier.send(Movement {
                at_ms: self.start_ms + at_us / 1_000,
                sensor_id: FIRST_SENSOR + walker.sensor.cast_signed(),
                traveler: walker.traveler.id,
                type_number: walker.traveler.type_number,
                x_cm,
                y_cm,
            })?;
            self.readings_left -= 1;
        }
        Ok(())
    }

    /// Decides what a walker does after a reading; returns when it is read again.
    fn go_on(&mut self, at_us: i64, slot: usize, visit: Visit) -> i64 {
        let wait_us = self.near as f64 * self.interval_us * self.random.between(0.5, 1.5);
        let next_us = at_us + (wait_us as i64).max(1);
        if next_us > visit.leaves_us {
            self.near -= 1;
            return at_us + self.leave(slot);
        }
        if next_us <= visit.rests_us {
            self.walkers[slot].visit = Some(visit);
            return next_us;
        }
        self.near -= 1;
        let is_whole = self.random.chance(AS_LONG_AS_THE_GAP);
        let gaps = if is_whole { 1.0 } else { self.random.between(0.3, 1.0) };
        let rest_us = (gaps * self.gap_us) as i64;
        let leaves_us = visit.leaves_us + rest_us;
        self.walkers[slot].visit = Some(Visit { rests_us: i64::MAX, leaves_us, is_resting: true, ..visit });
        at_us + rest_us
    }

    /// Sends a walker to its next visit, or another in its place; returns how long that takes, µs.
    fn leave(&mut self, slot: usize) -> i64 {
        let away_us = self.random.between(AWAY_GAPS.0, AWAY_GAPS.1) * self.gap_us;
        if self.walkers[slot].traveler.visits_left == 0 {
            self.walkers[slot] = self.newcomer();
        } else {
            let sensor = self.next_sensor(self.walkers[slot].sensor);
            let walker = &mut self.walkers[slot];
            walker.traveler.visits_left -= 1;
            (walker.sensor, walker.visit) = (sensor, None);
        }
        away_us as i64
    }

    fn next_sensor(&mut self, sensor: u64) -> u64 {
        let drawn = self.random.unit();
        match drawn {
            _ if drawn < SAME => sensor,
            _ if drawn < SAME + BESIDE / 2.0 => (sensor + 1) % self.sensors,
            _ if drawn < SAME + BESIDE => (sensor + self.sensors - 1) % self.sensors,
            _ => self.any_sensor(),
        }
    }

    /// Any sensor, the first ones rather than the last: some are busier.
    fn any_sensor(&mut self) -> u64 {
        self.random.below(self.sensors).min(self.random.below(self.sensors))
    }
}
