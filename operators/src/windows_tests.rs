//! Collections of windows against plain computations at every time, with retractions; and watermarks of partitions.

use std::collections::BTreeMap;
use std::sync::mpsc;

use differential_dataflow::VecCollection;
use differential_dataflow::input::InputSession;
use timely::Config;
use timely::dataflow::operators::capture::Extract;
use timely::dataflow::operators::generic::operator::empty;
use timely::dataflow::operators::vec::Delay;
use timely::dataflow::operators::{Capture, ToStream};

use crate::rolling::Rolling;
use crate::slides::Slides;
use crate::testing::Batches;
use crate::top::{Top, top_of};
use crate::visits::{Visit, Visits};
use crate::watermark::{Lateness, Mark, Stamp, Watermark};

type Record = (u64, i64);

/// Records that come and go again, in steps of a few.
fn steps() -> Vec<Vec<(Record, isize)>> {
    let mut state = 7u64;
    let mut below = |end: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % end
    };
    let mut there = Vec::<Record>::new();
    let mut step = |_| {
        let mut changes = Vec::new();
        for _ in 0..below(6) {
            if there.is_empty() || below(3) > 0 {
                let record = (below(2), i64::try_from(below(60)).unwrap());
                there.push(record);
                changes.push((record, 1));
            } else {
                let gone = there.swap_remove(usize::try_from(below(there.len() as u64)).unwrap());
                changes.push((gone, -1));
            }
        }
        changes
    };
    (0..120).map(&mut step).collect()
}

/// What a collection made of the steps holds after each of them must be what `plain` makes of the records then there.
fn agrees<D: differential_dataflow::ExchangeData>(
    workers: usize,
    build: impl for<'scope> Fn(VecCollection<'scope, u64, Record>) -> VecCollection<'scope, u64, D> + Send + Sync + 'static,
    plain: impl Fn(&BTreeMap<Record, isize>) -> BTreeMap<D, isize>,
) {
    let (send, receive) = mpsc::channel();
    let send = std::sync::Mutex::new(send);
    let config = if workers == 1 { Config::thread() } else { Config::process(workers) };
    timely::execute(config, move |worker| {
        let (index, peers) = (worker.index(), worker.peers());
        let mut input = InputSession::<u64, Record, isize>::new();
        let send = send.lock().unwrap().clone();
        worker.dataflow(|scope| build(input.to_collection(scope)).inner.capture_into(send));
        for (time, changes) in (0..).zip(steps()) {
            input.advance_to(time);
            let mine = changes.into_iter().enumerate().filter(|(n, _)| n % peers == index);
            mine.for_each(|(_, (record, diff))| input.update(record, diff));
            input.flush();
            worker.step();
        }
    })
    .unwrap();
    let mut updates: Vec<(D, u64, isize)> = receive.extract().into_iter().flat_map(|(_, updates)| updates).collect();
    updates.sort_by_key(|(_, time, _)| *time);
    let (mut found, mut there, mut updates) = (BTreeMap::new(), BTreeMap::new(), updates.into_iter().peekable());
    for (time, changes) in (0..).zip(steps()) {
        for (record, diff) in changes {
            *there.entry(record).or_insert(0) += diff;
        }
        there.retain(|_, count| *count != 0);
        while let Some((data, _, diff)) = updates.next_if(|update| update.1 <= time) {
            *found.entry(data).or_insert(0) += diff;
        }
        found.retain(|_, count| *count != 0);
        assert_eq!(found, plain(&there), "at {time}");
    }
}

#[test]
fn visits_merge_and_split_as_instants_come_and_go() {
    for workers in [1, 2] {
        agrees(
            workers,
            |instants| instants.visits(5),
            |there| {
                let mut visits = BTreeMap::<(u64, Visit), isize>::new();
                for key in 0..2 {
                    let of_key = there.iter().filter(|((of, _), _)| *of == key);
                    let instants: Vec<(i64, i64)> = of_key.map(|((_, at), count)| (*at, *count as i64)).collect();
                    for run in instants.chunk_by(|a, b| b.0 - a.0 <= 5) {
                        let visit = (run[0].0, run[run.len() - 1].0, run.iter().map(|instant| instant.1).sum());
                        visits.insert((key, visit), 1);
                    }
                }
                visits
            },
        );
    }
}

#[test]
fn windows_hold_what_lies_in_them() {
    for (window, slide) in [(10, 10), (20, 5), (7, 3), (3, 7)] {
        let slides = Slides::new(window, slide).unwrap();
        agrees(
            2,
            move |records| records.rolling(slides, |(_, at)| *at),
            move |there| {
                let mut windows = BTreeMap::new();
                for (&(key, at), &count) in there {
                    for k in -20..100 {
                        if k * slide - window <= at && at < k * slide {
                            windows.insert((k, (key, at)), count);
                        }
                    }
                }
                windows
            },
        );
    }
}

#[test]
fn top_items_with_all_that_tie() {
    for k in [1, 2, 5] {
        agrees(
            2,
            move |records| records.map(|(key, at)| (key, at % 7)).top(k),
            move |there| {
                let mut counts = BTreeMap::<u64, BTreeMap<i64, i64>>::new();
                for (&(key, at), &count) in there {
                    *counts.entry(key).or_default().entry(at % 7).or_default() += count as i64;
                }
                let top = counts.into_iter().flat_map(|(key, counts)| {
                    let above = |n: i64| counts.values().filter(|other| **other > n).count();
                    let top: Vec<_> = counts.iter().filter(|(_, n)| above(**n) < k).map(|(v, n)| (*v, *n)).collect();
                    assert_eq!(top_of(counts.clone().into_iter().collect(), k).len(), top.len());
                    top.into_iter().map(move |item| ((key, item), 1))
                });
                top.collect()
            },
        );
    }
}

#[test]
fn panes_show_what_the_values_then_in_them_say() {
    use crate::panes::Panes;
    use crate::stats::Stats;
    for (window, slide) in [(10, 10), (20, 5), (7, 3), (3, 7)] {
        let slides = Slides::new(window, slide).unwrap();
        let (mut panes, mut there, mut told) = (Panes::new(slides), BTreeMap::<Record, isize>::new(), BTreeMap::new());
        for changes in steps() {
            for (record, diff) in changes {
                *there.entry(record).or_insert(0) += diff;
                panes.value(record.1, record.0 as f64 + 0.1, diff as i64);
                panes.presence(slides.of(record.1), diff as i64);
            }
            there.retain(|_, count| *count != 0);
            panes.tell(|k, figures| {
                let before = told.remove(&k);
                assert_ne!(before, figures);
                figures.map(|figures| told.insert(k, figures));
            });
            for k in -20..100 {
                let mut values = Stats::default();
                for ((key, _), count) in there.iter().filter(|((_, at), _)| slides.of(*at).contains(&k)) {
                    (0..*count).for_each(|_| values.add(*key as f64 + 0.1));
                }
                assert_eq!(told.get(&k).map(|figures| figures.values), (values.count > 0).then_some(values));
            }
        }
    }
}

/// Partition 1 falls silent, and partition 2 was never fast: neither holds the floor back for longer than it may.
#[test]
fn a_silent_partition_holds_the_floor_back_only_so_long() {
    let rows = vec![(0u32, 100i64), (1, 90), (0, 150), (0, 191), (1, 95), (0, 189), (2, 150), (2, 139)];
    let (floors, mut marks, late) = watermarked(rows, Vec::new());
    // All is one epoch: partition 1 is 96 behind at its end, partition 2 is 41 behind.
    assert_eq!(floors, [140]);
    assert_eq!(late, [(2, 139)]);
    marks.sort_unstable();
    let clocks = [Mark::Clock(0, 191), Mark::Clock(1, 95), Mark::Clock(2, 150)];
    assert_eq!(marks, [&clocks[..], &[Mark::Unseen(95), Mark::Floor(140)]].concat());
}

/// What one run has said another goes on from: the same rows are late as if there had been one.
#[test]
fn a_later_run_goes_on_where_marks_say() {
    let (_, marks, _) = watermarked(vec![(0, 100), (1, 90), (0, 150)], Vec::new());
    let later = vec![(0, 139), (0, 140), (1, 139), (1, 140), (2, 139), (2, 140)];
    let (floors, _, late) = watermarked(later.clone(), marks);
    assert_eq!(late, [(0, 139), (1, 139), (2, 139)]);
    assert_eq!(floors, [140]);
    assert_eq!(watermarked(later, Vec::new()).2, []);
}

type Rows = Vec<(u32, i64)>;

/// The floors and marks that are said of some rows, and those of them that are late.
fn watermarked(rows: Rows, restored: Vec<Mark>) -> (Vec<i64>, Vec<Mark>, Rows) {
    let (floors, marks, late) = timely::example(move |scope| {
        // What stood before is said at a time before.
        let rows = rows.into_iter().to_stream(scope).delay(|_, _| 1).batches();
        let restored = if restored.is_empty() { empty(scope) } else { restored.into_iter().to_stream(scope) };
        let marked = rows.watermark(Lateness { lateness_ms: 10, idle_ms: 50 }, restored, |columns, row| Stamp {
            partition: columns.0[row],
            event_ms: columns.1[row],
            clock_ms: columns.1[row],
        });
        (marked.floors.capture(), marked.marks.capture(), marked.late.capture())
    });
    let floors = floors.extract().into_iter().flat_map(|(_, floors)| floors).collect();
    let marks = marks.extract().into_iter().flat_map(|(_, marks)| marks).collect();
    let late = late.into_iter().filter_map(|event| match event {
        timely::dataflow::operators::capture::Event::Messages(_, batch) => Some(batch),
        timely::dataflow::operators::capture::Event::Progress(_) => None,
    });
    let late =
        late.flat_map(|batch| batch.iter().map(|(partition, at)| (*partition, *at)).collect::<Vec<_>>()).collect();
    (floors, marks, late)
}
