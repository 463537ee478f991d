//! Catches objects that are lost or half written where they are kept in a bucket.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use crate::oracle::Oracle;
use crate::support::judge::{assert_objects, assert_stored};
use crate::support::kafka::{Topics, renumbered};
use crate::support::place::Place;
use crate::support::s3::S3;
use crate::support::sample;
use crate::support::store::Store;

#[test]
fn a_bucket_holds_what_a_folder_holds() {
    let records = sample::first_hours(2);
    let (oracle, _) = Oracle::of(&records);
    let place = Place::new();
    let s3 = S3::start(&place);
    let folder = place.input("in", &records);
    s3.keeps_objects_of(place.replay(), "bucket/of/ours").arg(&folder).end().expect(0);
    let tables = Store::open(&place.database()).tables();
    assert_objects(&s3.objects("of/ours"), &tables, &oracle);
    assert!(!place.objects().exists(), "the last URL counts");
}

/// Live, with the server away for a while in the middle: what waits for it is not committed, and then all is.
#[test]
fn a_bucket_away_for_a_while() {
    let records = renumbered(&sample::first_hours(4));
    let (oracle, _) = Oracle::of(&records);
    let (place, topics) = (Place::new(), Topics::new());
    let mut s3 = S3::start(&place);
    let (before, behind) = records.split_at(records.len() / 2);
    topics.produce(before);
    let run = s3.keeps_objects_of(topics.run(&place), "bucket").start();
    topics.wait_for_lag(0);
    s3.order("stop");
    topics.produce(behind);
    sleep(Duration::from_secs(3));
    assert!(topics.lag() > 0, "frames with objects are among them");
    s3.order("start");
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0).says(&["s3://bucket", "answers again"]);
    // What the store's own folder would hold, the bucket does.
    fs::rename(s3.objects(""), place.objects()).expect("one file system");
    assert_stored(&place, &oracle);
}

#[test]
fn what_no_attempt_would_mend_is_said() {
    let place = Place::new();
    let s3 = S3::start(&place);
    let folder = place.input("in", &sample::first_hours(1));
    let run = s3.keeps_objects_of(place.replay(), "bucket").args(["--set", "object_store.secret_key=hunter2"]);
    let output = run.arg(&folder).end().expect(1).says(&["s3://bucket", "object_store.secret_key"]);
    assert!(!output.stderr.contains("hunter2"), "{output:?}");
    s3.keeps_objects_of(place.replay(), "bucket").arg(&folder).end().expect(0);
}
