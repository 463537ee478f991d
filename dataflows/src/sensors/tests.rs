//! Sensors against a plain computation over all readings: any order of arrival, any number of workers, any epochs.

use std::collections::BTreeSet;

use hexflow_operators::Batch;
use hexflow_operators::slides::Slides;
use hexflow_operators::testing::InspectRows;
use hexflow_operators::watermark::Lateness;
use timely::dataflow::operators::generic::operator::empty;
use timely::dataflow::operators::vec::Map;

use super::changes::Changes;
use super::oracle::{self, Tables};
use super::{Settings, State, build};
use crate::readings::{Arrival, Movement};
use crate::testing::{Kept, Random, run, table};

/// Window, slide and gap, ms.
pub(super) const SHAPES: [(i64, i64, i64); 5] = [(60, 10, 60), (10, 10, 35), (25, 10, 7), (70, 30, 200), (10, 25, 15)];

pub(super) fn settings((window_ms, slide_ms, visit_gap_ms): (i64, i64, i64), lateness_ms: i64) -> Settings {
    let slides = Slides::new(window_ms, slide_ms).unwrap();
    Settings { slides, visit_gap_ms, lateness: Lateness { lateness_ms, idle_ms: 500 } }
}

/// Readings of few travellers who change their type, in few milliseconds: with repeats, and `disorder_ms` out of order.
pub(super) fn readings(seed: u64, count: i64, step_ms: i64, disorder_ms: i64) -> Vec<Movement> {
    let mut random = Random(seed);
    let mut readings: Vec<Movement> = Vec::new();
    for n in 0..count {
        let at_ms = 1_000 + n * step_ms / 4 - random.below(disorder_ms);
        let (sensor, traveler, kind) = (random.below(3), random.below(3), random.below(12) / 10);
        let mut reading = Movement {
            sensor_id: sensor - 1,
            traveler_id: format!("t{traveler}"),
            traveler_type: ["car", "bike"][usize::try_from(kind).unwrap()].to_owned(),
            x: random.below(1_000) as f64 / 7.0,
            y: random.below(1_000) as f64 / 3.0,
            at_ms,
            ..Movement::default()
        };
        if random.below(8) == 0 && !readings.is_empty() {
            let again =
                &readings[readings.len() - 1 - usize::try_from(random.below(readings.len().min(20) as i64)).unwrap()];
            reading = if random.below(2) == 0 { again.clone() } else { Movement { at_ms: again.at_ms, ..reading } };
        }
        readings.push(reading);
    }
    arrived(readings)
}

/// A sensor's readings are of one partition, and arrive in the order given.
fn arrived(mut readings: Vec<Movement>) -> Vec<Movement> {
    for (offset, reading) in (0..).zip(&mut readings) {
        let stream = u32::try_from(reading.sensor_id + 1).unwrap();
        reading.arrival = Arrival { ts: 1 << 40, stream, offset };
    }
    readings
}

struct Ran {
    tables: Tables,
    changes: usize,
    late: BTreeSet<u64>,
}

fn ran(readings: &[Movement], settings: Settings, workers: usize, batch: usize) -> Ran {
    let (travelers, windows, late) = (Kept::default(), Kept::default(), Kept::<u64>::default());
    let epochs: Vec<_> = readings.chunks(batch).map(|rows| (rows.to_vec(), Vec::<()>::new())).collect();
    let kept = (travelers.clone(), windows.clone(), late.clone());
    run(
        workers,
        &epochs,
        |row| row.arrival.stream,
        move |scope, rows, _words| {
            let sensors = build(rows, empty(scope), settings);
            kept.0.keep(sensors.changes.clone().flat_map(|changes| changes.travelers));
            kept.1.keep(sensors.changes.flat_map(|changes| changes.windows));
            let late = kept.2.clone();
            sensors.late.inspect_rows(move |row| late.push(0, *row.arrival.offset));
        },
    );
    let (travelers, windows) = (travelers.take(), windows.take());
    let changes = travelers.len() + windows.len();
    let late = late.take().into_iter().map(|(_, offset)| offset).collect();
    Ran { tables: (table(travelers), table(windows)), changes, late }
}

/// Means differ in the last bits, since the oracle sums doubles; all else is equal.
fn assert_close((travelers, windows): &Tables, (expected_travelers, expected_windows): &Tables) {
    let close = |a: &mut Option<f64>, b: Option<f64>| {
        if let (Some(mean), Some(expected)) = (*a, b)
            && (mean - expected).abs() <= 1e-12 * expected.abs().max(1.0)
        {
            *a = b;
        }
    };
    let (mut travelers, mut windows) = (travelers.clone(), windows.clone());
    for (key, row) in &mut travelers {
        close(&mut row.avg_speed, expected_travelers.get(key).and_then(|row| row.avg_speed));
    }
    for (key, row) in &mut windows {
        close(&mut row.avg_speed, expected_windows.get(key).and_then(|row| row.avg_speed));
    }
    assert_eq!(&travelers, expected_travelers);
    assert_eq!(&windows, expected_windows);
}

#[test]
fn equals_the_plain_computation_whatever_the_epochs_and_workers() {
    for (seed, shape) in (0..).zip(SHAPES).chain((9..).zip(SHAPES)) {
        let readings = readings(seed, 400, 20, 300);
        let expected = oracle::tables(&readings, shape.0, shape.1, shape.2);
        let mut first: Option<Tables> = None;
        for (workers, batch) in [(1, 1), (1, 37), (2, 10), (3, 400)] {
            let ran = ran(&readings, settings(shape, 100_000), workers, batch);
            assert_close(&ran.tables, &expected);
            assert!(ran.late.is_empty());
            assert_eq!(*first.get_or_insert_with(|| ran.tables.clone()), ran.tables, "to the last bit");
        }
    }
}

/// Where no two readings have one instant, the order of arrival means nothing.
#[test]
fn order_of_arrival_means_nothing() {
    let mut random = Random(3);
    let mut readings = readings(5, 300, 20, 50);
    let mut seen = BTreeSet::new();
    readings.retain(|row| seen.insert((row.sensor_id, row.traveler_id.clone(), row.at_ms)));
    let shape = SHAPES[0];
    let expected = oracle::tables(&readings, shape.0, shape.1, shape.2);
    for _ in 0..5 {
        for n in (1..readings.len()).rev() {
            readings.swap(n, usize::try_from(random.below(n as i64 + 1)).unwrap());
        }
        assert_close(&ran(&arrived(readings.clone()), settings(shape, 100_000), 2, 20).tables, &expected);
    }
}

/// What is forgotten on the way must not have been needed: the tables are those of all readings that were not late.
#[test]
fn forgetting_changes_nothing() {
    for (seed, shape) in (20..).zip(SHAPES) {
        let readings = readings(seed, 1_500, 20, 160);
        let mut first_late = None;
        for (workers, batch) in [(1, 1), (2, 16), (3, 100)] {
            let ran = ran(&readings, settings(shape, 100), workers, batch);
            assert!(ran.late.len() > 10 && ran.late.len() < 750, "{}", ran.late.len());
            let in_time = |row: &&Movement| !ran.late.contains(&row.arrival.offset);
            let in_time: Vec<Movement> = readings.iter().filter(in_time).cloned().collect();
            assert_close(&ran.tables, &oracle::tables(&in_time, shape.0, shape.1, shape.2));
            assert_eq!(*first_late.get_or_insert_with(|| ran.late.clone()), ran.late);
        }
    }
}

/// Ten readings a second of each of 200 travellers at two sensors, in epochs of a second.
#[test]
fn writes_far_fewer_rows_than_it_reads() {
    let mut rows = Vec::new();
    for n in 0..40_000i64 {
        let (traveler, tick) = (n % 200, n / 200);
        let (sensor_id, x) = (traveler % 2 - 1, tick as f64);
        let (traveler_id, traveler_type) = (format!("t{traveler}"), "car".to_owned());
        let at_ms = 1_000_000 + tick * 100 + traveler % 7;
        rows.push(Movement { sensor_id, traveler_id, traveler_type, x, at_ms, ..Movement::default() });
    }
    let readings = arrived(rows);
    let ran = ran(&readings, settings((60_000, 10_000, 60_000), 600_000), 2, 2_000);
    assert!(ran.changes * 8 < readings.len(), "{} changes of {} readings", ran.changes, readings.len());
}

fn batch(readings: &[Movement]) -> Batch<Movement> {
    let mut batch = Batch::default();
    readings.iter().for_each(|row| batch.push(row));
    batch
}

/// A traveller who never leaves, for a simulated week: state holds what lies within the horizon.
#[test]
fn state_does_not_grow_with_time() {
    let mut state = State::new(settings((60_000, 10_000, 60_000), 600_000));
    let (mut last, mut largest) = (None, 0);
    for minute in 0..7 * 24 * 60i64 {
        let at_ms = |n: i64| minute * 60_000 + n * 10_000;
        let row =
            |n| Movement { traveler_id: "t".to_owned(), at_ms: at_ms(n), x: at_ms(n) as f64, ..Movement::default() };
        state.add(&batch(&(0..6).map(row).collect::<Vec<_>>()));
        let (mut changes, _) = state.tell();
        state.forget(at_ms(5) - 600_000, &mut changes);
        largest = largest.max(state.visits.readings());
        last = changes.travelers.pop();
    }
    assert!(largest < 80, "{largest} readings");
    let visit = last.and_then(|change| change.row).unwrap();
    assert_eq!((visit.samples, visit.max_speed), (7 * 24 * 360 - 1, Some(1_000.0)));
    let mut changes = Changes::default();
    state.forget(i64::MAX, &mut changes);
    assert_eq!((state.visits.readings(), changes.ended.len()), (0, 1));
}

/// Prints a rate: `cargo test --release -p hexflow-dataflows rate_ -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
#[expect(clippy::print_stdout, reason = "its result")]
fn rate_of_sensors() {
    let mut random = Random(1);
    let rows = (0..1_000_000i64).map(|n| Movement {
        sensor_id: random.below(50),
        traveler_id: format!("traveler-{}", random.below(5_000)),
        traveler_type: ["car", "bike", "bus"][usize::try_from(n % 3).unwrap()].to_owned(),
        x: random.below(10_000) as f64,
        at_ms: n / 10 - random.below(2_000),
        ..Movement::default()
    });
    let rows: Vec<_> = rows.collect();
    let batches: Vec<_> = rows.chunks(2_000).map(batch).collect();
    let mut state = State::new(settings((60_000, 10_000, 60_000), 30_000));
    let mut changes = 0;
    let start = std::time::Instant::now();
    for (n, batch) in (0..).zip(&batches) {
        state.add(batch);
        let (mut told, _) = state.tell();
        state.forget(n * 200 - 30_000, &mut told);
        changes += told.travelers.len() + told.windows.len();
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{:.0} readings/s, {:.2} changes a reading",
        rows.len() as f64 / seconds,
        changes as f64 / rows.len() as f64
    );
}
