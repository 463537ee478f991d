//! A traveler: what it is, and how it moves about within the field of a sensor.

use crate::generate::random::Random;

/// The side of a sensor's square field, m.
const FIELD_METERS: f64 = 250.0;
/// How much a direction changes between two readings, each axis.
const TURN: f64 = 0.15;
/// The share of readings from which on a traveler is taken for something else.
const MISTAKEN: f64 = 0.002;

/// A kind of traveler.
#[derive(Debug)]
pub(super) struct Type {
    /// As messages name it.
    pub(super) name: &'static str,
    /// Of a hundred travelers, how many there are of it and of those before it.
    up_to: u64,
    /// Slowest and fastest, m/s.
    speeds: (f64, f64),
}

const fn kind(name: &'static str, up_to: u64, slowest: f64, fastest: f64) -> Type {
    Type { name, up_to, speeds: (slowest, fastest) }
}

/// The kinds of travelers.
pub(super) const TYPES: [Type; 6] = [
    kind("pedestrian", 40, 0.8, 1.9),
    kind("car", 68, 5.0, 16.0),
    kind("bicycle", 82, 3.0, 7.5),
    kind("truck", 90, 4.0, 13.0),
    kind("bus", 95, 4.0, 12.0),
    kind("scooter", 100, 3.0, 8.0),
];

/// A traveler at a sensor.
#[derive(Debug)]
pub(super) struct Traveler {
    /// Bits of its id.
    pub(super) id: u64,
    /// Which of [`TYPES`] it is taken for.
    pub(super) type_number: u8,
    /// Visits to come after this one.
    pub(super) visits_left: u64,
    speed: f64,
    /// m, 0 to the field's side.
    position: (f64, f64),
    /// Of length 1.
    direction: (f64, f64),
}

impl Traveler {
    /// Some traveler of that id, who will make one to four visits.
    pub(super) fn new(id: u64, random: &mut Random) -> Self {
        let type_number = draw_type(random);
        let (slowest, fastest) = TYPES[usize::from(type_number)].speeds;
        let speed = random.between(slowest, fastest);
        let visits_left = random.below(4);
        Traveler { id, type_number, visits_left, speed, position: (0.0, 0.0), direction: (1.0, 0.0) }
    }

    /// Enters a field, anywhere.
    pub(super) fn enter(&mut self, random: &mut Random) {
        self.position = (random.between(0.0, FIELD_METERS), random.between(0.0, FIELD_METERS));
        self.direction = unit((random.between(-1.0, 1.0), random.between(-1.0, 1.0)));
    }

    /// Moves on for so long, turning back at the field's edges.
    pub(super) fn advance(&mut self, seconds: f64, random: &mut Random) {
        let (east, north) = self.direction;
        let (east, north) = unit((east + random.bell(TURN), north + random.bell(TURN)));
        let meters = self.speed * random.between(0.8, 1.2) * seconds;
        let (x, is_back_x) = fold(self.position.0 + meters * east);
        let (y, is_back_y) = fold(self.position.1 + meters * north);
        self.position = (x, y);
        self.direction = (if is_back_x { -east } else { east }, if is_back_y { -north } else { north });
        if random.chance(MISTAKEN) {
            self.type_number = draw_type(random);
        }
    }

    /// Where it is, cm, as its sensor finds it: to some centimetres.
    pub(super) fn seen_at(&self, random: &mut Random) -> (u32, u32) {
        let mut seen = |meters: f64| ((meters + random.bell(0.03)).clamp(0.0, FIELD_METERS) * 100.0).round() as u32;
        (seen(self.position.0), seen(self.position.1))
    }
}

fn draw_type(random: &mut Random) -> u8 {
    let drawn = random.below(100);
    TYPES.iter().position(|kind| drawn < kind.up_to).unwrap_or(0) as u8
}

/// A vector of length 1 in that direction: by a square root, which every machine rounds alike.
fn unit((east, north): (f64, f64)) -> (f64, f64) {
    let length = (east * east + north * north).sqrt();
    if length < 1e-9 { (1.0, 0.0) } else { (east / length, north / length) }
}

/// A coordinate brought back into the field as by mirrors at its edges, and whether the way now goes back.
fn fold(meters: f64) -> (f64, bool) {
    let around = meters.rem_euclid(2.0 * FIELD_METERS);
    if around <= FIELD_METERS { (around, false) } else { (2.0 * FIELD_METERS - around, true) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_in_the_field_and_is_no_faster_than_its_kind() {
        let mut random = Random::new(3, 0);
        for id in 0..200 {
            let mut traveler = Traveler::new(id, &mut random);
            traveler.enter(&mut random);
            let (_, fastest) = TYPES[usize::from(traveler.type_number)].speeds;
            for _ in 0..50 {
                let (x, y) = traveler.position;
                traveler.advance(0.5, &mut random);
                let meters = (traveler.position.0 - x).hypot(traveler.position.1 - y);
                assert!(meters <= fastest * 1.2 * 0.5 + 1e-9, "{meters} m in half a second");
                assert!((0.0..=FIELD_METERS).contains(&traveler.position.0), "{traveler:?}");
                assert!((0.0..=FIELD_METERS).contains(&traveler.position.1), "{traveler:?}");
            }
        }
    }

    #[test]
    fn edges_are_mirrors() {
        assert_eq!(fold(10.0), (10.0, false));
        assert_eq!(fold(-10.0), (10.0, true));
        assert_eq!(fold(FIELD_METERS + 30.0), (FIELD_METERS - 30.0, true));
        assert_eq!(fold(2.0 * FIELD_METERS + 5.0), (5.0, false));
    }
}
