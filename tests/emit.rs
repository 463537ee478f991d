//! Catches what is sent on wrongly, twice, or not at all.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::oracle::Oracle;
use crate::support::emitted::{self, assert_well_formed};
use crate::support::judge::{assert_counted, assert_stored};
use crate::support::place::{Place, shown};
use crate::support::record::{AUDIT, CLUSTERIZATION, METADATA, Record};
use crate::support::varied::varied;
use crate::support::{cluster, sample};

/// Asserts that the folder holds what the oracle says, in well formed dumps.
#[track_caller]
fn assert_emitted(place: &Place, oracle: &Oracle) {
    let folder = place.path("emit");
    for (topic, partitions) in [(METADATA, 12), (CLUSTERIZATION, 12), (AUDIT, 6)] {
        let records = emitted::read(&folder, topic);
        assert!(records.iter().all(|record| record.topic == topic));
        assert_well_formed(&records, partitions);
        assert_in_order(&records);
    }
    let mut lines: Vec<String> = emitted::read_all(&folder).iter().map(emitted::line).collect();
    lines.sort();
    let expected = oracle.outgoing(&oracle.check_mapping(&place.store().mapping()));
    let different = expected.iter().zip(&lines).find(|(expected, line)| expected != line);
    assert_eq!(different, None, "the first that differs of {} and {}", expected.len(), lines.len());
    assert_eq!(expected.len(), lines.len());
}

/// What is said of one row is said in the order of its versions.
#[track_caller]
fn assert_in_order(records: &[Record]) {
    let mut newest: BTreeMap<String, jiff::Timestamp> = BTreeMap::new();
    for record in records {
        let body = record.body();
        let id = ["detectionId", "frameId", "trackId"].iter().find_map(|id| body[*id].as_str());
        let Some((id, updated)) = id.zip(body["updatedAt"].as_str()) else { continue };
        let updated = updated.parse().expect("a time");
        let before = newest.insert(id.to_owned(), updated);
        assert!(before.is_none_or(|before| before <= updated), "after {before:?}: {record:?}");
    }
}

fn emits(records: &[Record], args: &[&str]) -> Place {
    let (oracle, counts) = Oracle::of(records);
    let place = Place::new();
    let run = place.replay().args(args).args(["--emit", &shown(&place.path("emit"))]);
    assert_counted(&run.arg(place.input("in", records)).summary(), &counts);
    assert_emitted(&place, &oracle);
    assert_stored(&place, &oracle);
    place
}

#[test]
fn a_varied_stream_at_any_number_of_workers() {
    let records = varied(1_500, 41);
    for workers in ["1", "2", "4"] {
        emits(&records, &["-w", workers, "--set", "kafka.citylens.batch_size=37"]);
    }
}

#[test]
fn real_hours_on_two_processes() {
    let records = sample::first_hours(3);
    let (oracle, _) = Oracle::of(&records);
    let place = Place::new();
    let (folder, emit) = (place.input("in", &records), shown(&place.path("emit")));
    for output in cluster::end(cluster::start(|| place.replay().args(["--emit", &emit]).arg(&folder))) {
        output.expect(0);
    }
    assert_emitted(&place, &oracle);
}

/// A frame's message names the object of its points, and it is the one that its row names.
#[test]
fn messages_name_the_objects_of_their_points() {
    let place = emits(&varied(600, 42), &[]);
    let query = "SELECT frame_id, gps_key FROM frames";
    let store = place.store();
    let mut statement = store.connection.prepare(query).expect("a query");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    let keys: BTreeMap<String, Option<String>> = rows.map(|row| row.expect("a row")).collect();
    let mut last: BTreeMap<String, Value> = BTreeMap::new();
    for record in emitted::read(&place.path("emit"), METADATA) {
        let body = record.body();
        let Some(frame) = body["frameId"].as_str() else { continue };
        if let Some(key) = body["detailedGps"].as_str() {
            assert!(place.objects().join(key).exists(), "{record:?}");
        }
        last.insert(frame.to_owned(), body);
    }
    assert_eq!(last.len(), keys.len());
    for (frame, body) in last {
        assert_eq!(body["detailedGps"].as_str(), keys[&frame].as_deref(), "{body}");
    }
}

/// What goes out can come in again: no pipeline here consumes it, so that nothing is done.
#[test]
fn emitted_dumps_are_accepted() {
    let place = emits(&varied(300, 43), &[]);
    let before = place.store().everything();
    let summary = place.replay().arg(place.path("emit")).summary();
    assert_eq!((&summary["upserts"], &summary["stalled"]), (&0.into(), &0.into()), "{summary}");
    assert_eq!(before, place.store().everything());
}

/// A run cannot know what of the one before was received: it may send on again, but nothing that is not identical.
#[test]
fn a_replay_again_sends_nothing_new() {
    let records = varied(300, 44);
    let place = emits(&records, &[]);
    place.replay().args(["--emit", &shown(&place.path("again"))]).arg(place.path("in")).summary();
    let lines =
        |name: &str| -> BTreeSet<String> { emitted::read_all(&place.path(name)).iter().map(emitted::line).collect() };
    let (first, again) = (lines("emit"), lines("again"));
    assert_eq!(again.difference(&first).next(), None);
}
