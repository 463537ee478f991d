//! Catches whatever makes the tables depend on the number of workers, processes or records in a batch.

use std::fs;
use std::path::Path;

use crate::oracle::{Counts, Oracle};
use crate::support::cluster;
use crate::support::judge::{assert_counted, assert_counted_again, assert_stored};
use crate::support::place::{Place, shown};
use crate::support::record::TRACKS;
use crate::support::sample;
use crate::support::scene::{Scene, track};
use crate::support::varied::varied;

const SMALL_BATCHES: &[&str] = &["--set", "kafka.citylens.batch_size=37"];

fn the_day_on_one_process(args: &[&str]) {
    let (oracle, counts) = sample::expected();
    let place = Place::new();
    let summary = place.replay().args(args).arg(sample::folder()).summary();
    assert_counted(&summary, counts);
    assert_stored(&place, oracle);
}

fn on_two_processes(folder: &Path, args: &[&str], (oracle, counts): &(Oracle, Counts)) {
    let place = Place::new();
    let [first, second] = cluster::end(cluster::start(|| place.replay().args(args).arg(folder)));
    second.expect(0);
    assert_counted(&first.expect(0).summary(), counts);
    assert_stored(&place, oracle);
}

/// An oracle that skipped half of the day would agree with a pipeline that does.
#[test]
fn the_day_is_whole() {
    let (_, counts) = sample::expected();
    assert_eq!(*counts, Counts { records: 63_661, upserts: 63_661, ..Counts::default() });
}

#[test]
fn the_day_on_one_worker() {
    the_day_on_one_process(&["-w", "1"]);
}

#[test]
fn the_day_on_two_workers() {
    the_day_on_one_process(&["-w", "2"]);
}

#[test]
fn the_day_on_four_workers_in_small_batches() {
    the_day_on_one_process(&[&["-w", "4"], SMALL_BATCHES].concat());
}

#[test]
fn the_day_on_two_processes() {
    on_two_processes(&sample::folder(), &[], sample::expected());
}

#[test]
fn a_varied_stream_on_two_processes_of_two_workers_in_small_batches() {
    let records = varied(3_000, 5);
    let input = Place::new();
    on_two_processes(&input.input("in", &records), &[&["-w", "2"], SMALL_BATCHES].concat(), &Oracle::of(&records));
}

/// Everything that a valid stream may hold, in whatever batches.
#[test]
fn a_varied_stream_in_batches_of_any_size() {
    let records = varied(3_000, 1);
    let (oracle, counts) = Oracle::of(&records);
    assert_varied(&counts);
    for args in [["1", "1"], ["1", "500"], ["2", "2"], ["3", "37"], ["4", "100000"]] {
        let place = Place::new();
        let batch_size = format!("kafka.citylens.batch_size={}", args[1]);
        let run = place.replay().args(["-w", args[0], "--set", &batch_size]);
        let summary = run.arg(place.input("in", &records)).summary();
        assert_counted(&summary, &counts);
        assert_stored(&place, &oracle);
    }
}

/// A scene without repeats would prove nothing.
fn assert_varied(counts: &Counts) {
    for (name, count) in counts.named() {
        assert!((count > 50) != matches!(name, "malformed" | "stalled"), "{counts:?}");
    }
}

/// What the state has forgotten, the store still knows: a stale record never overwrites a newer row.
#[test]
fn a_varied_stream_with_a_dedup_window_that_forgets_at_once() {
    let records = varied(2_000, 2);
    let (oracle, counts) = Oracle::of(&records);
    let place = Place::new();
    let run = place.replay().args(["-w", "2", "--set", "dedup.window=1s"]).args(SMALL_BATCHES);
    assert_counted_again(&run.arg(place.input("in", &records)).summary(), &counts);
    assert_stored(&place, &oracle);
}

/// Both writes are upserts, and their audit rows share a primary key: the newest wins there too.
#[test]
fn one_request_that_writes_a_row_twice() {
    let mut scene = Scene::default();
    for updated in [1_000, 2_000] {
        scene.send(TRACKS, 0, &track("t", updated)).set_header("request-id", Some("r"));
    }
    let (oracle, counts) = Oracle::of(&scene.records);
    assert_eq!(counts.upserts, 2);
    let place = Place::new();
    assert_counted(&place.replay_records("in", &scene.records), &counts);
    assert_stored(&place, &oracle);
}

#[test]
fn a_varied_stream_on_processes_of_a_hostfile() {
    let records = varied(1_500, 3);
    let (oracle, counts) = Oracle::of(&records);
    let place = Place::new();
    let hostfile = place.path("hosts");
    fs::write(&hostfile, cluster::addresses().join("\n") + "\n").expect("a hostfile");
    let folder = place.input("in", &records);
    let start = |process| place.replay().args(["-n", "2", "-p", process, "-h", &shown(&hostfile)]).arg(&folder).start();
    let [first, second] = cluster::end([start("0"), start("1")]);
    second.expect(0);
    assert_counted(&first.expect(0).summary(), &counts);
    assert_stored(&place, &oracle);
}

/// Two creators of a mapping agree on its id.
#[test]
fn every_store_gets_the_same_track_ids() {
    let records = varied(50, 4);
    let mappings = ["1", "3"].map(|workers| {
        let place = Place::new();
        place.replay().args(["-w", workers]).arg(place.input("in", &records)).summary();
        place.store().mapping()
    });
    assert!(!mappings[0].is_empty());
    assert_eq!(mappings[0], mappings[1]);
}

/// What workers exchange goes over the serialized path, which shows in one process what would fail between two.
#[test]
fn a_varied_stream_serialized_between_workers() {
    let records = varied(900, 31);
    let (oracle, counts) = Oracle::of(&records);
    let place = Place::new();
    let folder = place.input("in", &records);
    let run = place.replay().args(["-w", "3", "--zerocopy", "--set", "kafka.citylens.batch_size=50"]).arg(&folder);
    assert_counted(&run.summary(), &counts);
    assert_stored(&place, &oracle);
}
