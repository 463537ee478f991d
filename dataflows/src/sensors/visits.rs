//! Visits of travellers at sensors: rows of `sensor_travelers`, and what they do to windows.

use std::sync::Arc;

use columnar::Ref;
use hexflow_operators::FixedMap;
use hexflow_operators::coverage::coverage_changes;
use hexflow_operators::sessions::{Point, Reading, Session, Sessions};
use hexflow_operators::slides::Slides;
use serde::{Deserialize, Serialize};

use super::changes::Ended;
use super::windows::Windows;
use crate::change::Change;
use crate::readings::{Arrival, Movement};
use crate::rows::text;

/// The primary key of `sensor_travelers`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TravelerKey {
    /// The sensor.
    pub sensor_id: i64,
    /// Who was seen.
    #[serde(with = "crate::shared_text")]
    pub traveler_id: Arc<str>,
    /// The visit's first reading, ms since the epoch.
    pub entered_at: i64,
}

/// The other columns of `sensor_travelers`. Speeds are null in a visit of one reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Traveler {
    /// Of the visit's first reading.
    #[serde(with = "crate::shared_text")]
    pub traveler_type: Arc<str>,
    /// The visit's last reading, ms since the epoch.
    pub left_at: i64,
    /// m/s.
    pub min_speed: Option<f64>,
    /// m/s.
    pub max_speed: Option<f64>,
    /// m/s, the mean of the samples.
    pub avg_speed: Option<f64>,
    /// Speed samples: one less than the visit's instants.
    pub samples: u64,
}

/// A change of `sensor_travelers`.
pub type TravelerChange = Change<TravelerKey, Traveler>;

/// Where a traveller was, m, and of what type it was said to be.
#[derive(Clone, Debug)]
struct Seen {
    x: f64,
    y: f64,
    traveler_type: Arc<str>,
}

impl Reading for Seen {
    type Tag = Arc<str>;

    fn tag(&self) -> Arc<str> {
        Arc::clone(&self.traveler_type)
    }

    /// Speed, m/s.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a visit are far below 2^53")]
    fn step(&self, later: &Seen, elapsed_ms: i64) -> f64 {
        (later.x - self.x).hypot(later.y - self.y) / (elapsed_ms as f64 / 1_000.0)
    }
}

type OfTraveler = Sessions<Seen, Arrival>;

/// The visits at a worker's sensors.
pub struct Visits {
    slides: Slides,
    gap_ms: i64,
    sensors: FixedMap<i64, FixedMap<Arc<str>, OfTraveler>>,
    /// Types in use: readings share their text.
    types: FixedMap<Arc<str>, ()>,
    /// Those with changes to tell.
    changed: Vec<(i64, Arc<str>)>,
    scratch: (Vec<Session<Arc<str>>>, Vec<Session<Arc<str>>>),
}

impl Visits {
    /// Without any visit yet.
    pub fn new(slides: Slides, gap_ms: i64) -> Self {
        let (sensors, types, changed, scratch) = Default::default();
        Visits { slides, gap_ms, sensors, types, changed, scratch }
    }

    /// Adds a reading, and its samples to `windows`; false if it changes nothing.
    pub fn add(&mut self, row: Ref<'_, Movement>, windows: &mut Windows) -> bool {
        let (traveler_id, sensor_id) = (text(row.traveler_id), *row.sensor_id);
        let traveler_type = shared(&mut self.types, text(row.traveler_type));
        let travelers = self.sensors.entry(sensor_id).or_default();
        if !travelers.contains_key(traveler_id) {
            travelers.insert(Arc::from(traveler_id), Sessions::default());
        }
        let Some(sessions) = travelers.get_mut(traveler_id) else { return false };
        let was_changed = sessions.is_changed();
        let reading = Seen { x: *row.x, y: *row.y, traveler_type };
        let point = Point { at_ms: *row.at_ms, order: arrival(row.arrival), reading };
        let changed = sessions.add(point, self.gap_ms, &mut |step| windows.sample(sensor_id, &step));
        if changed && !was_changed {
            self.changed.push((sensor_id, Arc::from(traveler_id)));
        }
        changed
    }

    /// Tells each row that changed, and the windows whom they count.
    pub fn tell(&mut self, changes: &mut Vec<TravelerChange>, windows: &mut Windows) {
        for (sensor_id, traveler_id) in self.changed.drain(..) {
            let sessions = self.sensors.get_mut(&sensor_id).and_then(|travelers| travelers.get_mut(&traveler_id));
            let Some(sessions) = sessions else { continue };
            let (before, now) = &mut self.scratch;
            before.clear();
            now.clear();
            sessions.tell(self.slides.window_ms(), before, now);
            coverage_changes(self.slides, before, now, |traveler_type, covered, diff| {
                windows.presence(sensor_id, traveler_type, covered, diff);
            });
            let key = |entered_at| TravelerKey { sensor_id, traveler_id: Arc::clone(&traveler_id), entered_at };
            let gone =
                before.iter().filter(|old| now.binary_search_by_key(&old.entered_ms, |new| new.entered_ms).is_err());
            changes.extend(gone.map(|old| Change { key: key(old.entered_ms), row: None }));
            let new = now.iter().filter(|new| !before.contains(new));
            changes.extend(new.map(|new| Change { key: key(new.entered_ms), row: Some(Traveler::from(new)) }));
        }
    }

    /// Forgets what no reading at or after `floor_ms` can change, in rows or in windows; says in `ended` which readings that
    /// were.
    pub fn forget(&mut self, floor_ms: i64, ended: &mut Vec<Ended>) {
        let closed_ms = floor_ms.saturating_sub(self.gap_ms).saturating_sub(self.slides.window_ms());
        self.sensors.retain(|&sensor_id, travelers| {
            travelers.retain(|traveler_id, sessions| {
                let left_at = sessions.forget(floor_ms, closed_ms);
                let traveler_id = || traveler_id.to_string();
                ended.extend(left_at.map(|left_at| Ended { sensor_id, traveler_id: traveler_id(), left_at }));
                !sessions.is_empty()
            });
            !travelers.is_empty()
        });
        self.types.retain(|text, ()| Arc::strong_count(text) > 1);
    }

    /// Readings remembered.
    pub fn readings(&self) -> usize {
        self.sensors.values().flat_map(|travelers| travelers.values()).map(Sessions::points).sum()
    }
}

impl From<&Session<Arc<str>>> for Traveler {
    fn from(visit: &Session<Arc<str>>) -> Self {
        Traveler {
            traveler_type: Arc::clone(&visit.tag),
            left_at: visit.left_ms,
            min_speed: visit.steps.min(),
            max_speed: visit.steps.max(),
            avg_speed: visit.steps.mean(),
            samples: visit.steps.count,
        }
    }
}

/// The one copy of a text.
pub(crate) fn shared(texts: &mut FixedMap<Arc<str>, ()>, text: &str) -> Arc<str> {
    if let Some((shared, ())) = texts.get_key_value(text) {
        return Arc::clone(shared);
    }
    let shared: Arc<str> = Arc::from(text);
    texts.insert(Arc::clone(&shared), ());
    shared
}

/// An arrival as columns have it.
pub(crate) fn arrival(arrival: Ref<'_, Arrival>) -> Arrival {
    Arrival { ts: *arrival.ts, stream: *arrival.stream, offset: *arrival.offset }
}
