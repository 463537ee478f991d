//! Cameras against a plain computation over all detections and the last set of locations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hexflow_operators::testing::InspectRows;
use hexflow_operators::watermark::Lateness;
use timely::dataflow::operators::generic::operator::empty;
use timely::dataflow::operators::vec::Map;

use super::counts::{Count, CountKey, Counts};
use super::detections::{Detection, Detections};
use super::{LocationChange, Other, Settings, build};
use crate::readings::{Arrival, CameraDetection};
use crate::testing::{Kept, Random, run, table};

pub(super) const WINDOW_MS: i64 = 10;

type Tables = (BTreeMap<i64, Detection>, BTreeMap<CountKey, Count>);

/// Detections with many repeats, of which some say something else, in four partitions whose times cross.
pub(super) fn detections(seed: u64, count: i64, oids: i64, disorder_ms: i64) -> Vec<CameraDetection> {
    let mut random = Random(seed);
    let rows = (0..count).map(|n| {
        let oid = n / 4 + random.below(oids);
        let ts = 5_000 + n - random.below(5);
        let offset = n.unsigned_abs();
        CameraDetection {
            arrival: Arrival { ts, stream: u32::try_from(random.below(4)).unwrap(), offset },
            geographical_location_oid: (oid + random.below(8) / 7) % 5 - 1,
            video_camera_oid: oid % 9,
            detection_oid: oid,
            item_name: format!("item {}", oid % 4),
            detected_ms: 1_000 + n - random.below(disorder_ms),
        }
    });
    rows.collect()
}

/// The least arrival of each detection stands, where a time counts as no earlier than those before it in its partition.
fn expected(rows: &[CameraDetection], names: &BTreeMap<i64, String>, late: &BTreeSet<u64>) -> Tables {
    let (mut firsts, mut latest) = (BTreeMap::<i64, (Arrival, &CameraDetection)>::new(), BTreeMap::new());
    for row in rows {
        let ts = latest.entry(row.arrival.stream).or_insert(row.arrival.ts);
        *ts = (*ts).max(row.arrival.ts);
        let arrival = Arrival { ts: *ts, ..row.arrival };
        if late.contains(&row.arrival.offset) {
            continue;
        }
        let first = firsts.entry(row.detection_oid).or_insert((arrival, row));
        if arrival < first.0 {
            *first = (arrival, row);
        }
    }
    let mut counts = BTreeMap::new();
    for (_, row) in firsts.values() {
        let (geographical_location_oid, item_name) = (row.geographical_location_oid, Arc::from(&*row.item_name));
        let window_start = row.detected_ms - row.detected_ms.rem_euclid(WINDOW_MS);
        let key = CountKey { geographical_location_oid, item_name, window_start };
        counts.entry(key).or_insert(Count { window_ms: WINDOW_MS, detections: 0 }).detections += 1;
    }
    let row = |arrival: Arrival, row: &CameraDetection| Detection {
        geographical_location_oid: row.geographical_location_oid,
        geographical_location: names.get(&row.geographical_location_oid).map(|name| Arc::from(&**name)),
        video_camera_oid: row.video_camera_oid,
        item_name: Arc::from(&*row.item_name),
        detected_at: row.detected_ms,
        arrival,
    };
    (firsts.into_iter().map(|(oid, (arrival, first))| (oid, row(arrival, first))).collect(), counts)
}

fn settings(lateness_ms: i64) -> Settings {
    Settings {
        window_ms: WINDOW_MS,
        lateness: Lateness { lateness_ms, idle_ms: 500 },
        has_locations: true,
        settle: None,
    }
}

struct Ran {
    tables: Tables,
    unlocated: i64,
    changes: usize,
    late: BTreeSet<u64>,
}

fn ran(epochs: &[(Vec<CameraDetection>, Vec<LocationChange>)], lateness_ms: i64, workers: usize) -> Ran {
    let settings = settings(lateness_ms);
    let (detections, windows, late) = (Kept::default(), Kept::default(), Kept::<u64>::default());
    let counts = Kept::<i64>::default();
    let kept = (detections.clone(), windows.clone(), late.clone(), counts.clone());
    run(
        workers,
        epochs,
        |row| row.arrival.stream,
        move |scope, rows, words| {
            let cameras = build(rows, words, empty(scope), settings);
            kept.0.keep(cameras.changes.clone().flat_map(|changes| changes.detections));
            kept.1.keep(cameras.changes.flat_map(|changes| changes.windows));
            kept.3.keep(cameras.counts.map(|counts| counts.unlocated));
            let late = kept.2.clone();
            cameras.late.inspect_rows(move |row| late.push(0, *row.arrival.offset));
        },
    );
    let (detections, windows) = (detections.take(), windows.take());
    let changes = windows.len();
    let late = late.take().into_iter().map(|(_, offset)| offset).collect();
    let unlocated = counts.take().into_iter().map(|(_, unlocated)| unlocated).sum();
    Ran { tables: (table(detections), table(windows)), unlocated, changes, late }
}

/// The rows without a name.
fn unlocated(tables: &Tables) -> i64 {
    tables.0.values().map(|row| i64::from(row.geographical_location.is_none())).sum()
}

pub(super) fn name(oid: i64, name: &str, diff: isize) -> LocationChange {
    ((oid, name.to_owned()), diff)
}

/// Locations appear, are corrected and go, while detections come.
fn epochs(
    rows: &[CameraDetection],
    batch: usize,
) -> (Vec<(Vec<CameraDetection>, Vec<LocationChange>)>, BTreeMap<i64, String>) {
    let mut epochs: Vec<_> = rows.chunks(batch).map(|rows| (rows.to_vec(), Vec::new())).collect();
    let last = epochs.len() - 1;
    epochs[0].1 = vec![name(0, "gate", 1), name(1, "bridge", 1)];
    epochs[last / 2].1.extend([name(1, "bridge", -1), name(1, "new bridge", 1), name(2, "square", 1)]);
    epochs[last].1.extend([name(0, "gate", -1), name(3, "tower", 1)]);
    let names = [(1, "new bridge"), (2, "square"), (3, "tower")].map(|(oid, name)| (oid, name.to_owned()));
    (epochs, names.into_iter().collect())
}

#[test]
fn equals_the_plain_computation_whatever_the_epochs_and_workers() {
    for seed in 0..6 {
        let rows = detections(seed, 500, 40, 200);
        for (workers, batch) in [(1, 1), (1, 50), (2, 17), (3, 500)] {
            let (epochs, names) = epochs(&rows, batch);
            let ran = ran(&epochs, 100_000, workers);
            assert_eq!(
                ran.tables,
                expected(&rows, &names, &BTreeSet::new()),
                "seed {seed}, {workers} workers, batches of {batch}"
            );
            assert_eq!(ran.unlocated, unlocated(&ran.tables), "seed {seed}, {workers} workers, batches of {batch}");
            assert!(ran.unlocated > 0);
        }
    }
}

/// Repeats say their detection's own time: once that is forgotten, they are late. So forgetting changes nothing, and which
/// rows are late does not depend on how they were read.
#[test]
fn forgetting_changes_nothing() {
    for seed in 0..4 {
        let mut rows = detections(seed, 3_000, 60, 1);
        rows.iter_mut().for_each(|row| row.detected_ms = 1_000 + row.detection_oid * 4 - row.detection_oid % 7 * 13);
        // Each partition is seen in the first epoch; one seen later may find the floor above its own.
        (0..4).for_each(|stream| rows[stream as usize].arrival.stream = stream);
        let mut first_late = None;
        for (workers, batch) in [(1, 7), (1, 1_000), (2, 100), (3, 40)] {
            let epochs: Vec<_> = rows.chunks(batch).map(|rows| (rows.to_vec(), Vec::new())).collect();
            let ran = ran(&epochs, 120, workers);
            assert!(ran.late.len() > 300 && ran.late.len() < 2_700, "{}", ran.late.len());
            assert!(ran.tables == expected(&rows, &BTreeMap::new(), &ran.late), "seed {seed}, {workers} workers");
            assert_eq!(ran.unlocated, unlocated(&ran.tables), "what is forgotten stays without a name");
            assert_eq!(*first_late.get_or_insert_with(|| ran.late.clone()), ran.late);
        }
    }
}

#[test]
fn writes_far_fewer_windows_than_it_reads() {
    let rows: Vec<_> = detections(1, 20_000, 1, 1)
        .into_iter()
        .map(|row| CameraDetection {
            detection_oid: row.arrival.offset.cast_signed(),
            detected_ms: row.detected_ms / 20,
            ..row
        })
        .collect();
    let epochs: Vec<_> = rows.chunks(500).map(|rows| (rows.to_vec(), Vec::new())).collect();
    let ran = ran(&epochs, 100_000, 2);
    assert!(ran.changes * 8 < rows.len(), "{} changes of {} detections", ran.changes, rows.len());
}

#[test]
fn what_is_below_the_floor_is_freed() {
    let mut state = Detections::new(settings(0));
    let (mut changes, mut others) = (Vec::new(), Vec::new());
    for n in 0..100 {
        let mut batch = hexflow_operators::Batch::default();
        detections(n, 100, 1_000, 1).iter().for_each(|row| batch.push(row));
        state.add(&batch);
        state.tell(&mut changes, &mut others);
    }
    state.raise(1_050);
    state.sweep();
    assert!(state.len() > 0 && state.len() <= 1_025);
    state.raise(2_000);
    state.sweep();
    assert_eq!(state.len(), 0);
}

/// Prints a rate: `cargo test --release -p hexflow-dataflows rate_ -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
#[expect(clippy::print_stdout, reason = "its result")]
fn rate_of_cameras() {
    let rows: Vec<_> = detections(1, 1_000_000, 400_000, 2_000);
    let batch = |rows: &[CameraDetection]| {
        let mut batch = hexflow_operators::Batch::default();
        rows.iter().for_each(|row| batch.push(row));
        batch
    };
    let batches: Vec<_> = rows.chunks(2_000).map(batch).collect();
    let settings = Settings { window_ms: 10_000, ..settings(0) };
    let (mut state, mut counts) = (Detections::new(settings), Counts::new(10_000));
    let (mut changes, mut others, mut windows) = (Vec::new(), Vec::new(), 0);
    let start = std::time::Instant::now();
    for (n, batch) in (0..).zip(&batches) {
        state.add(batch);
        state.tell(&mut changes, &mut others);
        changes.clear();
        for other in others.drain(..) {
            if let Other::Part(part) = other {
                counts.add(part);
            }
        }
        counts.tell(|_| windows += 1);
        state.raise(n * 2_000 - 300_000);
        if n % 10 == 0 {
            state.sweep();
            counts.forget(n * 2_000 - 300_000);
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{:.0} detections/s, {windows} changes of windows", rows.len() as f64 / seconds);
}
