//! Catches an invented mapping, and a partition that stands still after its mapping has come.

use crate::oracle::Oracle;
use crate::support::judge::{assert_counted, assert_stored};
use crate::support::place::Place;
use crate::support::record::{DETECTIONS, FRAMES, TRACKS};
use crate::support::sample;
use crate::support::scene::{Scene, detection, frame, track};
use crate::support::varied::varied;

const STANDING: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const HOUR_MS: i64 = 3_600_000;

/// Every frame and detection of some hours comes before the first track.
#[test]
fn hours_ahead_of_their_tracks() {
    let mut records = sample::first_hours(3);
    records.iter_mut().filter(|record| record.topic == TRACKS).for_each(|record| record.ts += 48 * HOUR_MS);
    let (oracle, counts) = Oracle::of(&records);
    for args in [["-w", "1", "--set", "kafka.citylens.batch_size=37"], ["-w", "2", "--set", "dedup.window=24h"]] {
        let place = Place::new();
        let summary = place.replay().args(args).arg(place.input("in", &records)).summary();
        assert_counted(&summary, &counts);
        assert_stored(&place, &oracle);
    }
}

#[test]
fn a_varied_stream_in_reversed_time() {
    let mut records = varied(1_000, 31);
    let last = records.iter().map(|record| record.ts).max().expect("records");
    records.iter_mut().for_each(|record| record.ts = last - record.ts % HOUR_MS);
    let (oracle, counts) = Oracle::of(&records);
    let place = Place::new();
    let summary = place.replay().args(["-w", "2"]).arg(place.input("in", &records)).summary();
    assert_counted(&summary, &counts);
    assert_stored(&place, &oracle);
}

/// One late track, with frames and detections of other tracks before and behind it in the same partition.
#[test]
fn a_late_mapping_in_the_middle() {
    let mut scene = Scene::default();
    scene.send(TRACKS, 4, &track("t-early", 0));
    for n in 0..900 {
        let owner = if n % 300 == 150 { "t-late" } else { "t-early" };
        scene.send(FRAMES, 4, &frame(&format!("f-{n}"), owner, n));
        scene.send(DETECTIONS, 4, &detection(&format!("d-{n}"), &format!("f-{n}"), owner, n));
        if n == 700 {
            scene.send(TRACKS, 9, &track("t-late", n));
        }
    }
    let (oracle, counts) = Oracle::of(&scene.records);
    assert_eq!(counts.upserts, 1_802);
    for workers in ["1", "2", "4"] {
        let place = Place::new();
        let run = place.replay().args(["-w", workers, "--set", "kafka.citylens.batch_size=20"]);
        assert_counted(&run.arg(place.input("in", &scene.records)).summary(), &counts);
        assert_stored(&place, &oracle);
    }
}

/// A row that stands in the table wins over the id that the pipeline would make, and needs no track event.
#[test]
fn a_standing_row_wins() {
    let mut scene = Scene::vehicles(30);
    scene.send(FRAMES, 0, &frame("f-untracked", "t-untracked", 5));
    let other = "0a0a0a0a-0000-4000-8000-000000000001";
    let place = Place::new();
    place.replay_records("nothing", &[Scene::default().send(TRACKS, 0, &track("t-first", 0)).clone()]);
    let mut oracle = Oracle::default();
    oracle.replay(&[Scene::default().send(TRACKS, 0, &track("t-first", 0)).clone()]);
    for (citylens, axion) in [("t-vehicle-3", STANDING), ("t-untracked", other)] {
        place.store().put_mapping(citylens, axion);
        oracle.put_mapping(citylens, axion);
    }
    let counts = oracle.replay(&scene.records);
    assert_counted(&place.replay_records("in", &scene.records), &counts);
    assert_stored(&place, &oracle);
}
