//! A run that stops anywhere, and another that goes on from what was stored: together they are as one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hexflow_operators::testing::InspectRows;
use timely::dataflow::operators::ToStream;

use super::changes::{Changes, Ended, Stored};
use super::tests::{SHAPES, readings, settings};
use super::visits::{Traveler, TravelerKey};
use super::windows::{Window, WindowKey};
use super::{Settings, build};
use crate::marks::Mark;
use crate::readings::Movement;
use crate::testing::{Kept, run};

/// What a store keeps.
#[derive(Clone, Debug, Default, PartialEq)]
struct Store {
    travelers: BTreeMap<TravelerKey, Traveler>,
    windows: BTreeMap<WindowKey, Window>,
    readings: BTreeMap<(i64, String, i64), Movement>,
    marks: BTreeMap<(String, u32), Mark>,
}

impl Store {
    fn keep(&mut self, changes: Changes) {
        for change in changes.travelers {
            self.travelers.remove(&change.key);
            change.row.map(|row| self.travelers.insert(change.key, row));
        }
        for change in changes.windows {
            self.windows.remove(&change.key);
            change.row.map(|row| self.windows.insert(change.key, row));
        }
        for row in changes.readings {
            self.readings.insert((row.sensor_id, row.traveler_id.clone(), row.at_ms), row);
        }
        for Ended { sensor_id, traveler_id, left_at } in changes.ended {
            self.readings.retain(|key, _| (key.0, &key.1) != (sensor_id, &traveler_id) || key.2 > left_at);
        }
        for mark in changes.marks {
            self.marks.insert(name(mark), mark);
        }
    }

    fn stored(&self) -> Vec<Stored> {
        let readings = self.readings.values().cloned().map(Stored::Reading);
        readings.chain(self.marks.values().copied().map(Stored::Mark)).collect()
    }
}

/// What a mark is of.
fn name(mark: Mark) -> (String, u32) {
    use hexflow_operators::watermark::Mark as Event;
    let (kind, stream) = match mark {
        Mark::Reached(stream, _) => ("reached", stream),
        Mark::EventTime(Event::Clock(stream, _)) => ("clock", stream),
        Mark::EventTime(Event::Unseen(_)) => ("unseen", 0),
        Mark::EventTime(Event::Floor(_)) => ("floor", 0),
        Mark::Settled(_) | Mark::Store(_) => ("of cameras alone", 0),
    };
    (kind.to_owned(), stream)
}

/// Runs over readings from what `store` holds, in epochs of `batch`, of which `kept` reach the store; which are late.
fn ran(
    store: &mut Store,
    readings: &[Movement],
    settings: Settings,
    (workers, batch): (usize, usize),
    kept: usize,
) -> BTreeSet<u64> {
    // Time 0 is for what stood before.
    let mut epochs: Vec<(Vec<Movement>, Vec<()>)> = vec![(Vec::new(), Vec::new())];
    epochs.extend(readings.chunks(batch).map(|rows| (rows.to_vec(), Vec::new())));
    let (changes, late) = (Kept::<Changes>::default(), Kept::<u64>::default());
    let (to_changes, to_late, stored) = (changes.clone(), late.clone(), Arc::new(store.stored()));
    run(
        workers,
        &epochs,
        |row| row.arrival.stream,
        move |scope, rows, _words| {
            let stored = if scope.index() == 0 { stored.to_vec() } else { Vec::new() };
            let sensors = build(rows, stored.to_stream(scope), settings);
            to_changes.keep(sensors.changes);
            let late = to_late.clone();
            sensors.late.inspect_rows(move |row| late.push(0, *row.arrival.offset));
        },
    );
    let changes = changes.take();
    assert!(changes.is_sorted_by_key(|(epoch, _)| *epoch), "in the order of epochs");
    changes.into_iter().filter(|(epoch, _)| *epoch <= kept as u64).for_each(|(_, changes)| store.keep(changes));
    late.take().into_iter().map(|(_, offset)| offset).collect()
}

/// What the two runs leave, the second reading `from`: all once more, or what the first did not store.
fn twice(readings: &[Movement], settings: Settings, (workers, batch): (usize, usize), kept: usize, all: bool) -> Store {
    let mut store = Store::default();
    ran(&mut store, readings, settings, (workers, batch), kept);
    let from = if all { 0 } else { (kept * batch).min(readings.len()) };
    ran(&mut store, &readings[from..], settings, (3 - workers % 2, batch + 3), usize::MAX);
    store
}

#[test]
fn two_runs_leave_what_one_leaves() {
    for (seed, shape) in (40..).zip(SHAPES) {
        for (lateness_ms, disorder_ms) in [(100_000, 300), (100, 160)] {
            let readings = readings(seed, 900, 20, disorder_ms);
            let settings = settings(shape, lateness_ms);
            let mut whole = Store::default();
            let late = ran(&mut whole, &readings, settings, (2, 20), usize::MAX);
            assert_eq!(late.is_empty(), lateness_ms > 10_000, "{}", late.len());
            for (kept, all) in [(0, true), (1, false), (9, true), (17, false), (30, true), (30, false), (45, true)] {
                let two = twice(&readings, settings, (1 + kept % 3, 20), kept, all);
                assert_eq!(two.travelers, whole.travelers, "seed {seed}, {kept} epochs, all again: {all}");
                assert_eq!(two.windows, whole.windows, "seed {seed}, {kept} epochs, all again: {all}");
            }
        }
    }
}

/// Read once more nothing changes but marks, which cannot.
#[test]
fn what_is_read_again_changes_nothing() {
    let readings = readings(60, 900, 20, 160);
    let settings = settings(SHAPES[0], 100);
    let mut store = Store::default();
    ran(&mut store, &readings, settings, (2, 20), usize::MAX);
    let before = store.clone();
    ran(&mut store, &readings, settings, (1, 7), usize::MAX);
    assert_eq!((before.travelers, before.windows, before.marks), (store.travelers, store.windows, store.marks));
}
