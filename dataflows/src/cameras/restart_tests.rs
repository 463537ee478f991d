//! A run that stops anywhere, and another that goes on from what was stored: together they are as one.

use std::collections::BTreeMap;
use std::sync::Arc;

use hexflow_operators::watermark::{self, Lateness};
use timely::dataflow::operators::ToStream;

use super::changes::{Changes, Stored, StoredDetection};
use super::counts::{Count, CountKey};
use super::detections::Detection;
use super::settle::{Settled, Steps};
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
    /// The steps of its history, if it has one.
    settle: Option<Steps>,
    /// The rows of that, and up to when they were settled.
    history: Vec<(i64, i64, Detection)>,
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

    /// Up to when rows are settled.
    fn settled_ms(&self) -> Option<i64> {
        self.marks.iter().filter_map(|mark| if let Mark::Settled(ms) = mark { Some(*ms) } else { None }).max()
    }

    /// What is not below the floor, or not settled yet.
    fn stored(&self) -> Vec<Stored> {
        let floor = |mark: &Mark| match mark {
            Mark::EventTime(watermark::Mark::Floor(ms)) => Some(*ms),
            _ => None,
        };
        let floor_ms = self.marks.iter().filter_map(floor).max().unwrap_or(i64::MIN);
        let from_ms = self.settled_ms().unwrap_or(floor_ms).min(floor_ms);
        let detections = self.detections.iter().filter(|(_, row)| row.detected_at >= from_ms).map(|(&oid, row)| {
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
    let settings =
        Settings { window_ms: WINDOW_MS, lateness, has_locations: locations.is_some(), settle: store.settle };
    // Time 0 is for what stood before.
    let mut epochs = vec![(Vec::new(), locations.unwrap_or_default().to_vec())];
    epochs.extend(rows.chunks(batch).map(|rows| (rows.to_vec(), Vec::new())));
    let (changes, settled) = (Kept::<Changes>::default(), Kept::<Arc<Settled>>::default());
    let (to_changes, to_settled, stored) = (changes.clone(), settled.clone(), Arc::new(store.stored()));
    let known = store.settled_ms();
    store.history.retain(|(upto_ms, ..)| Some(*upto_ms) <= known);
    run(
        workers,
        &epochs,
        |row| row.arrival.stream,
        move |scope, rows, words| {
            let stored = if scope.index() == 0 { stored.to_vec() } else { Vec::new() };
            let cameras = build(rows, words, stored.to_stream(scope), settings);
            to_changes.keep(cameras.changes);
            to_settled.keep(cameras.settled);
        },
    );
    let changes = changes.take();
    assert!(changes.is_sorted_by_key(|(epoch, _)| *epoch), "in the order of epochs");
    changes.into_iter().filter(|(epoch, _)| *epoch <= kept as u64).for_each(|(_, changes)| store.keep(changes));
    // What is settled is durable before its epoch is; so there may be more of it.
    for (_, settled) in settled.take().into_iter().filter(|(epoch, _)| *epoch <= (kept as u64).saturating_add(4)) {
        store.history.extend(settled.rows.iter().map(|(oid, row)| (settled.upto_ms, *oid, row.clone())));
    }
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

/// Runs over detections, stops and goes on with all of them once more; the names of locations are others then, or not known.
fn settled(rows: &[CameraDetection], steps: Steps, (kept, batch): (usize, usize)) -> Store {
    let mut store = Store { settle: Some(steps), ..Store::default() };
    ran(&mut store, rows, Some(&[name(0, "gate", 1), name(1, "bridge", 1)]), 120, (1 + kept % 3, batch), kept);
    let rows = if kept == usize::MAX { &[] } else { rows };
    let later = [name(0, "yard", 1), name(1, "bridge", 1)];
    ran(&mut store, rows, kept.is_multiple_of(2).then_some(&later), 120, (2, 23), usize::MAX);
    let settled_ms = store.settled_ms().expect("rows are settled");
    for (upto_ms, _, row) in &store.history {
        assert!(row.detected_at < *upto_ms && *upto_ms <= settled_ms);
    }
    store
}

/// By time alone, and by rows.
const STEPS: [Steps; 2] = [Steps { step_ms: 30, rows: u64::MAX }, Steps { step_ms: 500, rows: 25 }];

const STOPS: [(usize, usize); 7] = [(usize::MAX, 20), (0, 20), (9, 20), (17, 11), (30, 20), (44, 20), (60, 10)];

#[test]
fn settled_rows_are_handed_over_once_and_are_those_of_the_table() {
    for seed in 0..4 {
        let mut rows = detections(seed, 900, 40, 1);
        rows.iter_mut().for_each(|row| row.detected_ms = 1_000 + row.detection_oid * 4 - row.detection_oid % 7 * 13);
        for (steps, stop) in STEPS.into_iter().flat_map(|steps| STOPS.map(|stop| (steps, stop))) {
            let store = settled(&rows, steps, stop);
            let mut history = BTreeMap::new();
            for (_, oid, row) in &store.history {
                assert!(history.insert(*oid, row.clone()).is_none(), "{oid} is there twice");
            }
            let mut expected = store.detections.clone();
            expected.retain(|_, row| Some(row.detected_at) < store.settled_ms());
            assert!(expected.len() > 100 && expected.len() + 20 < store.detections.len(), "{}", expected.len());
            assert_eq!(history, expected, "seed {seed}, {steps:?}, {stop:?}");
        }
    }
}

/// A key that is used again with another time is another row, as it is in the windows.
#[test]
fn settled_rows_are_what_windows_have_counted() {
    for seed in 0..4 {
        let rows = detections(seed, 900, 40, 100);
        for (steps, stop) in STEPS.into_iter().flat_map(|steps| STOPS.map(|stop| (steps, stop))) {
            let store = settled(&rows, steps, stop);
            let is_over = |key: &CountKey| Some(key.window_start + WINDOW_MS) <= store.settled_ms();
            let mut counts = BTreeMap::new();
            for (_, _, row) in &store.history {
                let (geographical_location_oid, item_name) =
                    (row.geographical_location_oid, Arc::clone(&row.item_name));
                let window_start = row.detected_at - row.detected_at.rem_euclid(WINDOW_MS);
                let key = CountKey { geographical_location_oid, item_name, window_start };
                counts.entry(key).or_insert(Count { window_ms: WINDOW_MS, detections: 0 }).detections += 1;
            }
            let mut expected = store.windows.clone();
            counts.retain(|key, _| is_over(key));
            expected.retain(|key, _| is_over(key));
            assert!(expected.len() > 100, "{}", expected.len());
            assert_eq!(counts, expected, "seed {seed}, {steps:?}, {stop:?}");
        }
    }
}
