//! Each detection once, with its location's name: rows of `camera_detections`, and what they add to counts.

use std::sync::Arc;

use hexflow_operators::annotated::{Annotated, Placed};
use hexflow_operators::firsts::{Firsts, Occurrence};
use hexflow_operators::tumbling::Tumbling;
use hexflow_operators::upsert::Tally;
use hexflow_operators::{Batch, FixedMap};
use serde::{Deserialize, Serialize};

use super::changes::StoredDetection;
use super::counts::Part;
use super::settle::Settled;
use super::{Other, Settings};
use crate::change::Change;
use crate::counts::Counts;
use crate::readings::{Arrival, CameraDetection};
use crate::rows::text;
use crate::sensors::visits::{arrival, shared};

/// The columns of `camera_detections` beside its primary key, `detection_oid`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Where the camera stands.
    pub geographical_location_oid: i64,
    /// The location's name, if it is known.
    #[serde(with = "crate::shared_text::maybe")]
    pub geographical_location: Option<Arc<str>>,
    /// The camera.
    pub video_camera_oid: i64,
    /// What was seen.
    #[serde(with = "crate::shared_text")]
    pub item_name: Arc<str>,
    /// When, ms since the epoch.
    pub detected_at: i64,
    /// Its record's place: what arrived before it would take its place.
    pub arrival: Arrival,
}

/// A change of `camera_detections`, by `detection_oid`.
pub type DetectionChange = Change<i64, Detection>;

/// A detection that stands. Its order is that of time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    detected_ms: i64,
    detection_oid: i64,
    location_oid: i64,
    camera_oid: i64,
    item: Arc<str>,
    arrival: Arrival,
}

impl Seen {
    /// The row, with the name of its location.
    fn named(self, geographical_location: Option<Arc<str>>) -> Detection {
        Detection {
            geographical_location_oid: self.location_oid,
            geographical_location,
            video_camera_oid: self.camera_oid,
            item_name: self.item,
            detected_at: self.detected_ms,
            arrival: self.arrival,
        }
    }
}

impl Placed for Seen {
    type Place = i64;
    type Id = i64;

    fn place(&self) -> i64 {
        self.location_oid
    }
    fn id(&self) -> i64 {
        self.detection_oid
    }
    fn event_ms(&self) -> i64 {
        self.detected_ms
    }
}

/// The detections of a worker.
pub struct Detections {
    firsts: Firsts<i64, Arrival, Seen>,
    located: Annotated<Seen, Arc<str>>,
    /// The names that restored rows have in the store, in the epoch that restores them.
    restored: FixedMap<i64, Option<String>>,
    /// The names of rows that go on having them, since there is no set; known only if rows are to be settled.
    named: FixedMap<i64, Arc<str>>,
    items: FixedMap<Arc<str>, ()>,
    /// Of this epoch only.
    counts: Tumbling<(i64, Arc<str>)>,
    tally: Tally,
    floor_ms: i64,
    /// Whether there is a set of locations, be it empty.
    has_locations: bool,
    /// Whether rows are remembered until they are settled, and not just until they are below the floor.
    settles: bool,
}

impl Detections {
    /// None as yet.
    pub fn new(Settings { window_ms, has_locations, settle, .. }: Settings) -> Self {
        let (firsts, located, restored, named, items, tally) = Default::default();
        let (counts, floor_ms, settles) = (Tumbling::new(window_ms), i64::MIN, settle.is_some());
        Detections { firsts, located, restored, named, items, counts, tally, floor_ms, has_locations, settles }
    }

    /// Adds detections.
    pub fn add(&mut self, batch: &Batch<CameraDetection>) {
        let Detections { firsts, located, items, counts, tally, floor_ms, .. } = self;
        for row in batch.iter() {
            let value = Seen {
                detected_ms: *row.detected_ms,
                detection_oid: *row.detection_oid,
                location_oid: *row.geographical_location_oid,
                camera_oid: *row.video_camera_oid,
                item: shared(items, text(row.item_name)),
                arrival: arrival(row.arrival),
            };
            let (oid, event_ms) = (value.detection_oid, value.detected_ms);
            let occurrence = Occurrence { arrival: value.arrival, event_ms, value };
            let is_new = firsts.offer(oid, occurrence, |seen, diff| {
                // A window below the floor may be forgotten: nothing changes it.
                if seen.detected_ms >= *floor_ms {
                    let start_ms = counts.start_ms(seen.detected_ms);
                    counts.add((seen.location_oid, Arc::clone(&seen.item)), start_ms, diff);
                }
                located.row(seen, diff);
            });
            tally.upserts += u64::from(is_new);
            tally.duplicates += u64::from(!is_new);
        }
    }

    /// Takes up a row that a store holds. It is told only if its location has another name now.
    pub fn restore(&mut self, stored: StoredDetection) {
        let CameraDetection { arrival, detected_ms, detection_oid, geographical_location_oid, .. } = stored.detection;
        let value = Seen {
            detected_ms,
            detection_oid,
            location_oid: geographical_location_oid,
            camera_oid: stored.detection.video_camera_oid,
            item: shared(&mut self.items, &stored.detection.item_name),
            arrival,
        };
        let located = &mut self.located;
        let occurrence = Occurrence { arrival, event_ms: detected_ms, value };
        self.firsts.offer(detection_oid, occurrence, |seen, diff| located.row(seen, diff));
        if let Some(name) = stored.geographical_location.as_deref().filter(|_| self.settles && !self.has_locations) {
            self.named.insert(detection_oid, shared(&mut self.items, name));
        }
        self.restored.insert(detection_oid, stored.geographical_location);
    }

    /// A location's name came (1) or went (-1).
    pub fn locate(&mut self, location_oid: i64, name: String, diff: isize) {
        self.located.annotate(location_oid, Arc::from(name), i64::try_from(diff).unwrap_or(i64::MAX));
    }

    /// Tells each row that changed, and what was counted.
    pub fn tell(&mut self, changes: &mut Vec<DetectionChange>, others: &mut Vec<Other>) {
        let (restored, has_locations) = (std::mem::take(&mut self.restored), self.has_locations);
        let named = &mut self.named;
        self.located.tell(|oid, row| {
            if let (Some(before), Some((_, name))) = (restored.get(&oid), &row)
                && (before.as_deref() == name.map(|name| &**name) || !has_locations)
            {
                return; // it stands so
            }
            named.remove(&oid);
            changes.push(Change { key: oid, row: row.map(|(seen, name)| seen.named(name.cloned())) });
        });
        self.counts.drain(|(location, item), start_ms, diff| {
            others.push(Other::Part(Part { location: *location, item: item.to_string(), start_ms, diff }));
        });
        // Without a set nothing is unknown.
        let unlocated = self.located.take_bare() * i64::from(has_locations);
        let counts = Counts { unlocated, ..Counts::from(std::mem::take(&mut self.tally)) };
        if counts != Counts::default() {
            others.push(Other::Counts(counts));
        }
    }

    /// Takes out what is below `upto_ms`, if anything is: it stands as it does now for good.
    pub fn settle(&mut self, upto_ms: i64) -> Option<Arc<Settled>> {
        let (named, mut rows) = (&mut self.named, Vec::new());
        self.located.take_below(upto_ms, |seen, name| {
            let name = name.cloned().or_else(|| named.remove(&seen.detection_oid));
            rows.push((seen.detection_oid, seen.named(name)));
        });
        self.firsts.raise(upto_ms);
        (!rows.is_empty()).then(|| Arc::new(Settled { upto_ms, rows }))
    }

    /// Nothing below `floor_ms` will come.
    pub fn raise(&mut self, floor_ms: i64) {
        self.floor_ms = self.floor_ms.max(floor_ms);
        if self.settles { self.firsts.freeze(floor_ms) } else { self.firsts.raise(floor_ms) }
    }

    /// Frees what is below the floor.
    pub fn sweep(&mut self) {
        self.firsts.sweep();
        if !self.settles {
            self.located.forget(self.floor_ms);
        }
        self.items.retain(|text, ()| Arc::strong_count(text) > 1);
    }

    /// Detections remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.firsts.len()
    }
}
