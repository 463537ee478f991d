//! A run that stops anywhere, and another that goes on from what was stored: together they are as one.

use std::collections::BTreeMap;
use std::sync::Arc;

use hexflow_operators::watermark::{self, Lateness};
use timely::dataflow::operators::ToStream;

use super::changes::{Changes, Stored, StoredDetection};
use super::counts::{Count, CountKey};
use super::detections::Detection;
use super::tests::{WINDOW_MS, detections, name};
use super::{LocationChange, Settings, build};
use crate::marks::Mark;
use crate::readings::CameraDetection;
use crate::testing::{Kept, run};

/// What a store keeps.
#[derive(Clone, Debug, Default, PartialEq)]
struct Store {
    detections: BTreeMap<i64, Detection>,
    windows: BTreeMap<CountKey, Count>,
    marks: Vec<Mark>,
}

impl Store {
    fn keep(&mut self, changes: Changes) {
        for change in changes.detections {
            self.detections.remove(&change.key);
            change.row.map(|row| self.detections.insert(change.key, row));
        }
        for change in changes.windows {
            self.windows.remove(&change.key);
            change.row.map(|row| self.windows.insert(change.key, row));
        }
        self.marks.extend(changes.marks); // later ones say more
    }

    /// What is not below the floor.
    fn stored(&self) -> Vec<Stored> {
        let floor = |mark: &Mark| match mark {
            Mark::EventTime(watermark::Mark::Floor(ms)) => Some(*ms),
            _ => None,
        };
        let floor_ms = self.marks.iter().filter_map(floor).max().unwrap_or(i64::MIN);
        let detections = self.detections.iter().filter(|(_, row)| row.detected_at >= floor_ms).map(|(&oid, row)| {
            let detection = CameraDetection {
                arrival: row.arrival,
                geographical_location_oid: row.geographical_location_oid,
                video_camera_oid: row.video_camera_oid,
                detection_oid: oid,
                item_name: row.item_name.to_string(),
                detected_ms: row.detected_at,
            };
            let geographical_location = row.geographical_location.as_ref().map(ToString::to_string);
            Stored::Detection(StoredDetection { detection, geographical_location })
        });
        let windows = self.windows.iter().filter(|(key, _)| key.window_start + WINDOW_MS > floor_ms);
        let windows = windows.map(|(key, count)| {
            let (item, detections) = (key.item_name.to_string(), count.detections.cast_signed());
            Stored::Window(key.geographical_location_oid, item, key.window_start, detections)
        });
        detections.chain(windows).chain(self.marks.iter().copied().map(Stored::Mark)).collect()
    }
}

/// Runs over detections from what `store` holds, in epochs of `batch`, of which `kept` reach the store.
fn ran(
    store: &mut Store,
    rows: &[CameraDetection],
    locations: Option<&[LocationChange]>,
    lateness_ms: i64,
    (workers, batch): (usize, usize),
    kept: usize,
) {
    let lateness = Lateness { lateness_ms, idle_ms: 500 };
    let settings = Settings { window_ms: WINDOW_MS, lateness, has_locations: locations.is_some() };
    // Time 0 is for what stood before.
    let mut epochs = vec![(Vec::new(), locations.unwrap_or_default().to_vec())];
    epochs.extend(rows.chunks(batch).map(|rows| (rows.to_vec(), Vec::new())));
    let changes = Kept::<Changes>::default();
    let (to_changes, stored) = (changes.clone(), Arc::new(store.stored()));
    run(
        workers,
        &epochs,
        |row| row.arrival.stream,
        move |scope, rows, words| {
            let stored = if scope.index() == 0 { stored.to_vec() } else { Vec::new() };
            to_changes.keep(build(rows, words, stored.to_stream(scope), settings).changes);
        },
    );
    let changes = changes.take();
    assert!(changes.is_sorted_by_key(|(epoch, _)| *epoch), "in the order of epochs");
    changes.into_iter().filter(|(epoch, _)| *epoch <= kept as u64).for_each(|(_, changes)| store.keep(changes));
}

#[test]
fn two_runs_leave_what_one_leaves() {
    let locations = [name(0, "gate", 1), name(1, "bridge", 1)];
    for seed in 0..4 {
        for lateness_ms in [100_000, 120] {
            let mut rows = detections(seed, 900, 40, 1);
            // Repeats say their detection's own time: once that is forgotten, they are late.
            rows.iter_mut()
                .for_each(|row| row.detected_ms = 1_000 + row.detection_oid * 4 - row.detection_oid % 7 * 13);
            (0..4).for_each(|stream| rows[stream as usize].arrival.stream = stream);
            let mut whole = Store::default();
            ran(&mut whole, &rows, Some(&locations), lateness_ms, (2, 20), usize::MAX);
            for (kept, all) in [(0, true), (1, false), (9, true), (17, false), (30, true), (44, false)] {
                let mut two = Store::default();
                ran(&mut two, &rows, Some(&locations), lateness_ms, (1 + kept % 3, 20), kept);
                let from = if all { 0 } else { kept * 20 };
                ran(&mut two, &rows[from..], Some(&locations), lateness_ms, (2, 23), usize::MAX);
                assert_eq!(two.detections, whole.detections, "seed {seed}, {kept} epochs, all again: {all}");
                assert_eq!(two.windows, whole.windows, "seed {seed}, {kept} epochs, all again: {all}");
            }
        }
    }
}

/// Stored rows are corrected by another set of locations; without a set they keep their names.
#[test]
fn stored_rows_get_the_names_that_hold_now() {
    let rows = detections(7, 200, 40, 50);
    let mut store = Store::default();
    ran(&mut store, &rows, Some(&[name(0, "gate", 1), name(1, "bridge", 1)]), 100_000, (2, 20), usize::MAX);
    let first = store.clone();
    ran(&mut store, &rows, None, 100_000, (1, 50), usize::MAX);
    assert_eq!(store.detections, first.detections);
    ran(&mut store, &[], Some(&[name(1, "new bridge", 1), name(2, "square", 1)]), 100_000, (3, 50), usize::MAX);
    for (oid, row) in &store.detections {
        let expected = match row.geographical_location_oid {
            1 => Some("new bridge"),
            2 => Some("square"),
            _ => None,
        };
        assert_eq!(row.geographical_location.as_deref(), expected, "{oid}");
    }
    assert_eq!(store.windows, first.windows);
    // An empty set is a set.
    ran(&mut store, &[], Some(&[]), 100_000, (2, 50), usize::MAX);
    assert!(store.detections.values().all(|row| row.geographical_location.is_none()));
    assert_eq!(store.detections.len(), first.detections.len());
}
