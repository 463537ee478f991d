//! Catches rows that the history of cameras loses, has twice or before they are final, on either side of a stop.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use crate::clickhouse::replay as replay_into;
use crate::oracle::cameras::cameras;
use crate::oracle::settled::settled;
use crate::sensors::kill_at;
use crate::support::clickhouse::Server;
use crate::support::cluster;
use crate::support::history;
use crate::support::kafka::Topics;
use crate::support::place::{Place, shown};
use crate::support::readings::{Disorder, detections};
use crate::support::record::Record;
use crate::support::run::{Run, random_ms, wait_until};
use crate::support::s3::S3;
use crate::support::scene::MIDNIGHT_MS;
use crate::support::windows::{Rows, assert_table, stored, stored_in};

const SMALL_BATCHES: &[&str] = &["--set", "kafka.citylens.batch_size=37"];

const MINUTE_MS: i64 = 60_000;

/// How late detections may be where nobody says otherwise here, and the step of the history.
const LATENESS_MS: i64 = 60 * MINUTE_MS;
const STEP_MS: i64 = 7 * MINUTE_MS;

/// Detections of some hours around midnight, up to 20 minutes out of order.
fn evening(count: u64, seed: u64) -> Vec<Record> {
    let stretched = |ms: i64| MIDNIGHT_MS + 22 * 60 * MINUTE_MS + (ms - MIDNIGHT_MS - 1_000_000) * 12;
    let mut records = detections(count, seed, Disorder(100_000));
    for record in &mut records {
        record.ts = stretched(record.ts);
        record.edit(|body| {
            let detected = body["timestamp_detected"].as_i64().expect("a number");
            body["timestamp_detected"] = stretched(detected).into();
        });
    }
    records
}

fn names() -> BTreeMap<i64, &'static str> {
    BTreeMap::from([(-1, "gate, \"north\""), (1, "bridge"), (2, "")])
}

/// A run told of locations, and of how late detections may be.
fn told(run: Run, place: &Place, names: &BTreeMap<i64, &str>, lateness: i64) -> Run {
    let rows = names.iter().map(|(oid, name)| format!("{oid},\"{}\"\n", name.replace('"', "\"\"")));
    let text = format!("geographical_location_oid,geographical_location\n{}", rows.collect::<String>());
    let path = place.path("locations.csv");
    fs::write(&path, text).expect("a file");
    let sets = [
        format!("cameras.locations={}", shown(&path)),
        format!("cameras.lateness={lateness}ms"),
        format!("cameras.history_step={STEP_MS}ms"),
    ];
    sets.iter().fold(run.args(SMALL_BATCHES), |run, set| run.args(["--set", set]))
}

fn folder(place: &Place) -> PathBuf {
    place.path("history")
}

/// A replay told so that keeps its history in a folder.
fn replay(place: &Place) -> Run {
    kept(told(place.replay(), place, &names(), LATENESS_MS), place)
}

fn kept(run: Run, place: &Place) -> Run {
    run.args(["--set".to_owned(), format!("cameras.history=file://{}", shown(&folder(place)))])
}

/// What a history must hold of records, and what the table must.
fn expected(records: &[Record], lateness: i64) -> [Rows; 2] {
    let settled = settled(records, lateness, STEP_MS);
    let table = cameras(&settled.in_time, 10_000, &names()).detections;
    let mut history = table.clone();
    history.retain(|_, row| row[4].as_i64() < Some(settled.upto));
    // Much of it is settled, on two days, and much is not.
    let days: Vec<_> = history.values().map(|row| row[4].as_i64() < Some(MIDNIGHT_MS + 24 * 60 * MINUTE_MS)).collect();
    assert!(days.contains(&true) && days.contains(&false), "{}", days.len());
    assert!(history.len() > 300 && table.len() > history.len() + 20, "{} of {}", history.len(), table.len());
    [history, table]
}

#[track_caller]
fn assert_kept(folder: &Path, expected: &Rows) {
    assert_table("the history", &history::read(folder), expected);
}

#[test]
fn what_is_settled_at_any_size() {
    let records = evening(3_000, 111);
    for (args, lateness) in
        [(&["-w", "1"][..], LATENESS_MS), (&["-w", "2", "--zerocopy"], 10 * MINUTE_MS), (&["-w", "3"], 2 * MINUTE_MS)]
    {
        let (place, [history, table]) = (Place::new(), expected(&records, lateness));
        let run = kept(told(place.replay(), &place, &names(), lateness), &place);
        let summary = run.args(args).arg(place.input("in", &records)).summary();
        let late = (records.len() - settled(&records, lateness, STEP_MS).in_time.len()) as u64;
        assert_eq!(summary["pipelines"]["cameras"]["late"], late);
        assert!((lateness == LATENESS_MS) == (late == 0), "{late}");
        assert_table("camera_detections", &stored(&place)["camera_detections"], &table);
        assert_kept(&folder(&place), &history);
        // The same again changes nothing.
        let before = history::contents(&folder(&place));
        let run = kept(told(place.replay(), &place, &names(), lateness), &place);
        run.args(["-w", "2"]).arg(place.path("in")).summary();
        assert!(before == history::contents(&folder(&place)), "what is written is never changed");
    }
}

/// Where many rows wait, the step is not waited for; rows are the same.
#[test]
fn many_rows_are_settled_sooner() {
    let (records, place) = (evening(3_000, 120), Place::new());
    let sets = ["--set", "cameras.history_step=1d", "--set", "cameras.history_rows=300"];
    replay(&place).args(sets).args(["-w", "2"]).arg(place.input("in", &records)).summary();
    let upto = place.store().rows("SELECT value FROM watermarks WHERE kind = 'settled'")[0][0].as_i64();
    let floor = settled(&records, LATENESS_MS, 4 * MINUTE_MS).upto;
    let [_, table] = expected(&records, LATENESS_MS);
    let mut history = table.clone();
    history.retain(|_, row| row[4].as_i64() < upto);
    assert_kept(&folder(&place), &history);
    let waiting = table.values().filter(|row| row[4].as_i64() >= upto && row[4].as_i64() < Some(floor)).count();
    assert!(waiting < 300, "{waiting} wait");
    let files = history::files(&folder(&place)).len();
    assert!((8..=2 * 3_000 / 300).contains(&files), "{files} files");
}

#[test]
fn what_is_settled_on_two_processes_of_two_workers() {
    let (records, place) = (evening(2_000, 112), Place::new());
    let [history, table] = expected(&records, LATENESS_MS);
    let input = place.input("in", &records);
    let [first, second] = cluster::end(cluster::start(|| replay(&place).args(["-w", "2"]).arg(&input)));
    second.expect(0);
    first.expect(0);
    assert_table("camera_detections", &stored(&place)["camera_detections"], &table);
    assert_kept(&folder(&place), &history);
}

#[test]
fn killed_and_run_again() {
    let (records, place) = (evening(9_000, 113), Place::new());
    let [history, table] = expected(&records, LATENESS_MS);
    let input = place.input("in", &records);
    let run = |workers: &str| replay(&place).args(["-w", workers]).arg(&input);
    let rows = i64::try_from(table.len()).expect("small");
    let killed = [(1, "1"), (rows / 8, "2"), (rows / 3, "3"), (rows / 2, "1"), (rows * 3 / 4, "2")]
        .map(|(at, workers)| kill_at(&place, "camera_detections", at, run(workers)));
    assert!(killed.iter().filter(|under_way| **under_way).count() >= 2, "most were under way: {killed:?}");
    run("2").summary();
    assert_table("camera_detections", &stored(&place)["camera_detections"], &table);
    assert_kept(&folder(&place), &history);
}

/// The history is ahead of its store, as after a crash: what the store does not know is taken away, and written again.
#[test]
fn what_its_store_does_not_know_is_not_there_twice() {
    let (records, place) = (evening(3_000, 114), Place::new());
    let (first, all) = (&records[..2_000], &records[..]);
    replay(&place).args(["-w", "2"]).arg(place.input("first", first)).summary();
    let before = history::contents(&folder(&place));
    assert_kept(&folder(&place), &expected(first, LATENESS_MS)[0]);
    let files = || fs::read_dir(place.path("")).expect("a folder").map(|entry| entry.expect("an entry").path());
    let is_store =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("hexflow.db"));
    let copies: Vec<_> = files().filter(is_store).map(|path| (fs::read(&path).expect("a file"), path)).collect();
    let input = place.input("second", &records[2_000..]);
    replay(&place).args(["-w", "2"]).arg(&input).summary();
    let [history, table] = expected(all, LATENESS_MS);
    assert_kept(&folder(&place), &history);
    let ahead = history::files(&folder(&place)).len();
    for workers in ["1", "3"] {
        files().filter(is_store).for_each(|path| fs::remove_file(path).expect("a file"));
        copies.iter().for_each(|(bytes, path)| fs::write(path, bytes).expect("a file"));
        // One that reads nothing new takes it away all the same.
        let output = replay(&place).arg(place.input("none", &records[..1])).end().expect(0);
        output.says(&["files of the history that a stop has left were taken away"]);
        assert!(before == history::contents(&folder(&place)), "as it was, of {ahead} files");
        replay(&place).args(["-w", workers]).arg(&input).summary();
        assert_table("camera_detections", &stored(&place)["camera_detections"], &table);
        assert_kept(&folder(&place), &history);
    }
}

/// Names of locations change between two runs: what is settled by then keeps its name, in the table as in the history.
#[test]
fn a_corrected_location_corrects_what_is_not_settled() {
    let (records, place) = (evening(3_000, 115), Place::new());
    replay(&place).args(["-w", "2"]).arg(place.input("first", &records[..1_800])).summary();
    let upto = settled(&records[..1_800], LATENESS_MS, STEP_MS).upto;
    let later = BTreeMap::from([(-1, "gate"), (0, "yard"), (2, "square")]);
    let run = kept(told(place.replay(), &place, &later, LATENESS_MS), &place);
    run.args(["-w", "2"]).arg(place.input("second", &records[1_800..])).summary();
    let [mut history, mut table] = expected(&records, LATENESS_MS);
    for row in history.values_mut().chain(table.values_mut()).filter(|row| row[4].as_i64() >= Some(upto)) {
        row[1] = later.get(&row[0].as_i64().expect("a number")).copied().into();
    }
    assert_table("camera_detections", &stored(&place)["camera_detections"], &table);
    assert_kept(&folder(&place), &history);
    // Without a set they go on having the names that they have.
    let none: &[&str] = &["--set", "cameras.locations="];
    let again = replay(&place).args(none).args(["--set", "cameras.lateness=30m"]).arg(place.path("second"));
    again.summary();
    let settled = settled(&records, 30 * MINUTE_MS, STEP_MS);
    table.retain(|_, row| row[4].as_i64() < Some(settled.upto));
    assert!(table.len() > history.len() + 100);
    assert_kept(&folder(&place), &table);
}

/// Two processes write it while the server is away for a while, and runs are killed.
#[test]
fn from_kafka_into_a_bucket() {
    let (records, place, topics) = (evening(3_000, 116), Place::new(), Topics::new());
    let [history, table] = expected(&records, LATENESS_MS);
    let mut s3 = S3::start(&place);
    let run = |s3: &S3| {
        let run = told(s3.reaches(topics.run(&place)), &place, &names(), LATENESS_MS);
        run.args(["--set", "cameras.history=s3://bucket/of/cameras", "-w", "2"])
    };
    // What has not been read yet is always of less than the hour for which a partition is waited for.
    let mut parts = records.chunks(120);
    let mut produce = || parts.next().inspect(|part| topics.produce(part)).is_some();
    for is_away in [false, false, true, false, true] {
        produce();
        let [first, second] = cluster::start(|| run(&s3));
        topics.wait_for_lag(0);
        if is_away {
            s3.order("stop");
        }
        produce();
        sleep(if is_away { Duration::from_secs(1) } else { random_ms(700) });
        assert_eq!(first.kill().code, None, "it was under way");
        assert_ne!(second.fall().code, Some(0), "it has lost the other");
        if is_away {
            s3.order("start");
        }
    }
    let [first, second] = cluster::start(|| run(&s3));
    topics.wait_for_lag(0);
    s3.order("stop");
    produce();
    produce();
    sleep(Duration::from_secs(2));
    s3.order("start");
    topics.wait_for_lag(0);
    while produce() {
        topics.wait_for_lag(0);
    }
    first.terminate();
    let [first, second] = cluster::end([first, second]);
    first.expect(0);
    second.expect(0);
    assert_table("camera_detections", &stored(&place)["camera_detections"], &table);
    assert_kept(&s3.objects("of/cameras"), &history);
}

#[test]
fn beside_clickhouse() {
    let (records, place) = (evening(3_000, 117), Place::new());
    let database = Server::shared().database();
    let [history, table] = expected(&records, LATENESS_MS);
    let input = place.input("in", &records);
    let run = |workers: &str| {
        let run = kept(told(replay_into(&place, &database), &place, &names(), LATENESS_MS), &place);
        run.args(["--pipelines", "cameras", "-w", workers]).arg(&input)
    };
    for (n, workers) in (1..).zip(["1", "2", "3"]) {
        let mut run = run(workers).start();
        wait_until("rows in the store", || run.has_ended() || database.count("camera_detections") > n * 500);
        run.kill();
    }
    run("2").summary();
    assert_table("camera_detections", &stored_in(&database)["camera_detections"], &table);
    assert_kept(&folder(&place), &history);
    // It reads the files itself, too.
    let files = format!("{}/camera_detections/day=*/*.parquet", shown(&folder(&place)));
    let found = database.sql(&format!("SELECT count() AS n, uniqExact(detection_oid) AS oids FROM file('{files}')"));
    assert_eq!([&found[0]["n"], &found[0]["oids"]], [history.len(), history.len()], "{found:?}");
    let migrate =
        database.configure(Run::new("migrate").args(["--only", "clickhouse", "--set", "cameras.lateness=1h"]));
    let told = ["its rows do not go by TTL written_at + toIntervalSecond(90000)"];
    migrate.args(["--set", "cameras.history=file:///tmp/history"]).end().expect(0).says(&told);
}

#[test]
fn a_history_is_of_one_store_that_can_be_gone_on_from() {
    let (records, place, other) = (evening(3_000, 118), Place::new(), Place::new());
    let input = place.input("in", &records);
    replay(&place).arg("--dry-run").arg(&input).summary();
    assert!(!folder(&place).exists() && !place.database().exists());
    for store in ["null", "ndjson:lines"] {
        let run = kept(other.replay_into(store), &place);
        run.arg(&input).end().expect(2).says(&["cameras.history", "--store"]);
    }
    replay(&place).arg(&input).summary();
    let before = history::contents(&folder(&place));
    let [history, _] = expected(&records, LATENESS_MS);
    assert_kept(&folder(&place), &history);
    let another = || kept(told(other.replay(), &other, &names(), LATENESS_MS), &place).arg(&input);
    another().end().expect(1).says(&["cameras.history", "another store"]);
    fs::remove_file(folder(&place).join("camera_detections/_store.json")).expect("a file");
    another().end().expect(1).says(&["cameras.history", "_store.json"]);
    assert!(before == history::contents(&folder(&place)), "nothing is taken away");
    kept(other.replay_into("null"), &place).args(["--pipelines", "sensors"]).arg(&input).summary();
}

/// What was below the floor by then is in no history; what is settled while it is not kept is written when it is again.
#[test]
fn a_history_that_begins_later_and_rests() {
    let (records, place) = (evening(3_000, 119), Place::new());
    let plain = |name: &str, part: &[Record]| {
        told(place.replay(), &place, &names(), LATENESS_MS).arg(place.input(name, part)).summary();
    };
    plain("first", &records[..1_000]);
    let from = settled(&records[..1_000], LATENESS_MS, 1).upto;
    replay(&place).args(["-w", "2"]).arg(place.input("second", &records[1_000..1_600])).summary();
    let [mut history, _] = expected(&records, LATENESS_MS);
    history.retain(|_, row| row[4].as_i64() >= Some(from));
    let upto = settled(&records[..1_600], LATENESS_MS, STEP_MS).upto;
    let mut so_far = history.clone();
    so_far.retain(|_, row| row[4].as_i64() < Some(upto));
    assert!(so_far.len() > 100 && history.len() > so_far.len() + 400, "{} of {}", so_far.len(), history.len());
    assert_kept(&folder(&place), &so_far);
    plain("third", &records[1_600..2_600]);
    assert_kept(&folder(&place), &so_far);
    replay(&place).args(["-w", "2"]).arg(place.input("fourth", &records[2_600..])).summary();
    assert_kept(&folder(&place), &history);
}
