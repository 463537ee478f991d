//! Catches detections under a name that their location no longer has, and a broken set of locations that takes names away.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::life::{listening, metric};
use crate::oracle::cameras::{Cameras, cameras};
use crate::support::cluster;
use crate::support::kafka::{Topics, renumbered};
use crate::support::parquet;
use crate::support::place::{Place, shown};
use crate::support::ports::free_ports;
use crate::support::postgres::Server;
use crate::support::readings::{Disorder, detections};
use crate::support::record::Record;
use crate::support::run::{Run, Running, wait_until};
use crate::support::windows::{assert_table, stored};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/locations.parquet");

type Names = BTreeMap<i64, &'static str>;

fn names<const N: usize>(names: [(i64, &'static str); N]) -> Names {
    BTreeMap::from(names)
}

fn expected(records: &[Record], names: &Names) -> Cameras {
    cameras(records, 10_000, names)
}

/// How many detections have no name.
fn unnamed(cameras: &Cameras) -> usize {
    cameras.detections.values().filter(|row| row[1].is_null()).count()
}

#[track_caller]
fn assert_stored(place: &Place, records: &[Record], names: &Names) {
    let (tables, expected) = (stored(place), expected(records, names));
    assert_table("camera_detections", &tables["camera_detections"], &expected.detections);
    assert_table("camera_windows", &tables["camera_windows"], &expected.windows);
}

/// Waits until a run that is under way has stored what is expected.
fn wait_until_stored(what: &str, place: &Place, records: &[Record], names: &Names) {
    let expected = expected(records, names).detections;
    wait_until(what, || stored(place)["camera_detections"] == expected);
    assert_stored(place, records, names);
}

fn csv(names: &Names) -> String {
    let rows = names.iter().map(|(oid, name)| format!("\"{}\",x,{oid}\n", name.replace('"', "\"\"")));
    format!("geographical_location,other,geographical_location_oid\n{}", rows.collect::<String>())
}

/// Puts a file in the place of another, as a whole.
fn replace(path: &Path, bytes: impl AsRef<[u8]>) {
    let new = path.with_extension("new");
    fs::write(&new, bytes).expect("a file");
    fs::rename(new, path).expect("a file");
}

fn following(run: Run, locations: &str) -> Run {
    run.args(["--set", "cameras.refresh=100ms", "--set", &format!("cameras.locations={locations}")])
}

/// Detections in six parts, as topics have them.
fn parts(seed: u64) -> (Vec<Record>, usize) {
    let records = renumbered(&detections(1_800, seed, Disorder(120_000)));
    let part = records.len() / 6;
    (records, part)
}

/// Names are corrected, added and taken away while detections come; the file is broken and mended; and once more while
/// nothing runs.
fn follows_a_file(seed: u64, start: impl Fn(&dyn Fn() -> Run) -> Vec<Running>) {
    let (place, topics, (records, part)) = (Place::new(), Topics::new(), parts(seed));
    let (path, port) = (place.path("locations.csv"), free_ports());
    let run = || listening(following(topics.run(&place), &shown(&path)), port);
    let produce = |n: usize| topics.produce(&records[n * part..(n + 1) * part]);
    let so_far = |n: usize| &records[..n * part];
    let first = names([(-1, "gate, \"north\""), (1, "bridge"), (2, "")]);
    fs::write(&path, csv(&first)).expect("a file");
    let runs = start(&run);
    produce(0);
    wait_until_stored("the first names", &place, so_far(1), &first);

    let second = names([(-1, "gate"), (2, "square"), (3, "tower")]);
    produce(1);
    replace(&path, csv(&second));
    produce(2);
    wait_until_stored("names are corrected, gone and new", &place, so_far(3), &second);
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let unlocated = unnamed(&expected(so_far(3), &second)) as f64;
    assert!(unlocated > 0.0);
    wait_until("detections without a name are counted", || metric(port, "hexflow_unlocated_detections") == unlocated);
    assert_eq!((metric(port, "hexflow_locations"), metric(port, "hexflow_location_failures_total")), (3.0, 0.0));

    // Half of a file, in place.
    fs::write(&path, "geographical_location_oid,geographical_location\n-1,gate\n2,\"squ").expect("a file");
    runs[0].wait_to_say("locations.csv:3: a quote");
    produce(3);
    wait_until("it tries again", || metric(port, "hexflow_location_failures_total") >= 3.0);
    wait_until_stored("the names before stay", &place, so_far(4), &second);
    fs::remove_file(&path).expect("a file");
    runs[0].wait_to_say("No such file");
    assert_eq!(metric(port, "hexflow_locations"), 3.0);
    let third = names([(-1, "gate"), (0, "yard"), (1, "bridge"), (2, "square")]);
    replace(&path, csv(&third));
    runs[0].wait_to_say("can be read again");
    produce(4);
    wait_until_stored("it was mended", &place, so_far(5), &third);

    topics.wait_for_lag(0);
    runs[0].terminate();
    let outputs: Vec<_> = runs.into_iter().map(|run| run.end().expect(0)).collect();
    for told in ["locations.csv:3: a quote", "No such file", "can be read again"] {
        assert_eq!(outputs[0].stderr.matches(told).count(), 1, "{told} is told once: {}", outputs[0].stderr);
        assert!(outputs[1..].iter().all(|output| !output.stderr.contains(told)), "one process reads the file");
    }
    let unlocated = unnamed(&expected(so_far(5), &third));
    assert_eq!(outputs[0].summary()["pipelines"]["cameras"]["unlocated"], unlocated);

    let last = names([(1, "new bridge"), (2, "square")]);
    replace(&path, csv(&last));
    let runs = start(&run);
    wait_until_stored("it was changed while nothing ran", &place, so_far(5), &last);
    produce(5);
    topics.wait_for_lag(0);
    runs[0].terminate();
    let unlocated = unnamed(&expected(&records, &last));
    let outputs: Vec<_> = runs.into_iter().map(|run| run.end().expect(0)).collect();
    assert_eq!(outputs[0].summary()["pipelines"]["cameras"]["unlocated"], unlocated);
    assert_stored(&place, &records, &last);
}

#[test]
fn a_file_that_changes_under_two_workers() {
    follows_a_file(91, |run| vec![run().args(["-w", "2"]).start()]);
}

#[test]
fn a_file_that_changes_under_two_processes() {
    follows_a_file(92, |run| cluster::start(run).into());
}

/// The same of a file that is no text, and is cut off before its end.
#[test]
fn a_parquet_file_that_changes() {
    let (place, topics, (records, part)) = (Place::new(), Topics::new(), parts(94));
    let path = place.path("locations.parquet");
    let first = names([(-1, "gate, \"north\""), (1, "bridge"), (2, "")]);
    replace(&path, parquet::locations(&first));
    topics.produce(&records[..part]);
    let run = following(topics.run(&place), &shown(&path)).args(["-w", "2"]).start();
    topics.wait_for_lag(0);
    wait_until_stored("the first names", &place, &records[..part], &first);

    let second = names([(-1, "gate"), (2, "square"), (3, "tower")]);
    replace(&path, parquet::locations(&second));
    topics.produce(&records[part..2 * part]);
    wait_until_stored("names are corrected, gone and new", &place, &records[..2 * part], &second);

    let third = names([(1, "new bridge")]);
    let bytes = parquet::locations(&third);
    replace(&path, &bytes[..bytes.len() / 2]);
    run.wait_to_say("locations.parquet: ");
    topics.produce(&records[2 * part..]);
    wait_until_stored("the names before stay", &place, &records, &second);
    replace(&path, &bytes);
    run.wait_to_say("can be read again");
    wait_until_stored("it was mended", &place, &records, &third);
    run.terminate();
    run.end().expect(0);
}

/// A run is killed while names change; what it has stored by then is corrected by the next.
#[test]
fn names_that_change_around_a_crash() {
    let (place, topics, (records, _)) = (Place::new(), Topics::new(), parts(93));
    let path = place.path("locations.csv");
    let all = [
        names([(-1, "gate"), (1, "bridge")]),
        names([(1, "new bridge"), (2, "square")]),
        names([]),
        names([(-1, "gate"), (0, "yard"), (3, "tower")]),
    ];
    for (names, part) in all.iter().zip(records.chunks(records.len() / 3)) {
        replace(&path, csv(names));
        topics.produce(part);
        let run = following(topics.run(&place), &shown(&path)).args(["-w", "2"]).start();
        topics.wait_for_lag(0);
        assert_eq!(run.kill().code, None, "it was under way");
    }
    replace(&path, csv(&all[3]));
    let run = following(topics.run(&place), &shown(&path)).args(["-w", "3"]).start();
    wait_until_stored("the last names", &place, &records, &all[3]);
    replace(&path, csv(&all[2]));
    wait_until_stored("an empty set", &place, &records, &all[2]);
    run.terminate();
    run.end().expect(0);
}

/// The server is stopped, too, and the table renamed.
#[test]
fn a_table_that_changes_under_a_run() {
    let mut server = Server::start();
    let (place, topics, (records, part)) = (Place::new(), Topics::new(), parts(94));
    let database = server.database();
    database.execute(
        "CREATE SCHEMA geo; CREATE TABLE geo.\"Camera places\" (geographical_location_oid integer, \
         geographical_location varchar(80), note text); \
         INSERT INTO geo.\"Camera places\" VALUES (-1, 'gate'), (1, 'bridge'), (2, NULL)",
    );
    let run = following(topics.run(&place), "postgres:geo.\"Camera places\"");
    let run = database.configure(run).args(["-w", "2"]).start();
    topics.produce(&records[..part]);
    wait_until_stored("the first names", &place, &records[..part], &names([(-1, "gate"), (1, "bridge")]));
    database.execute(
        "UPDATE geo.\"Camera places\" SET geographical_location = 'square' WHERE geographical_location_oid = 2; \
         DELETE FROM geo.\"Camera places\" WHERE geographical_location_oid = 1",
    );
    let second = names([(-1, "gate"), (2, "square")]);
    wait_until_stored("names are new and gone", &place, &records[..part], &second);
    database.execute("ALTER TABLE geo.\"Camera places\" RENAME TO places");
    run.wait_to_say("there is no table geo.\"Camera places\"");
    topics.produce(&records[part..2 * part]);
    wait_until_stored("the names before stay", &place, &records[..2 * part], &second);
    database.execute("ALTER TABLE geo.places RENAME TO \"Camera places\"");
    run.wait_to_say("can be read again");
    server.order("stop");
    run.wait_to_say("cannot read cameras.locations: table geo.\"Camera places\" of PostgreSQL at");
    topics.produce(&records[2 * part..]);
    wait_until_stored("the names before stay without the server", &place, &records, &second);
    server.order("start");
    database.execute("INSERT INTO geo.\"Camera places\" VALUES (3, 'tower')");
    let last = names([(-1, "gate"), (2, "square"), (3, "tower")]);
    wait_until_stored("the server is back", &place, &records, &last);
    topics.wait_for_lag(0);
    run.terminate();
    run.end().expect(0);
    assert_stored(&place, &records, &last);
}

#[test]
fn a_replay_reads_a_parquet_file_or_a_table() {
    let records = detections(800, 95, Disorder(120_000));
    let names = names([(-1, "gate, \"north\""), (1, "bridge")]);
    let place = Place::new();
    let folder = place.input("in", &records);
    let run = |place: &Place, locations: &str| {
        place.replay().args(["-w", "2", "--set", &format!("cameras.locations={locations}")]).arg(&folder)
    };
    let summary = run(&place, GOLDEN).summary();
    assert_stored(&place, &records, &names);
    assert_eq!(summary["pipelines"]["cameras"]["unlocated"], unnamed(&expected(&records, &names)));

    let (place, database) = (Place::new(), Server::shared().database());
    let run = |locations: &str| database.configure(run(&place, locations));
    let create = "CREATE TABLE places (geographical_location_oid bigint, geographical_location text)";
    database
        .execute(&format!("{create}; INSERT INTO places VALUES (-1, 'gate, \"north\"'), (1, 'bridge'), (1, 'bridge')"));
    run("postgres:places").summary();
    assert_stored(&place, &records, &names);
    run("postgres:nowhere.places").end().expect(1).says(&["no table nowhere.places", "geographical_location"]);
    run("postgres:migration_state").end().expect(1).says(&["geographical_location_oid", "does not exist"]);
    // What is no name is no statement either.
    run("postgres:places; DROP TABLE places").end().expect(1).says(&["cameras.locations"]);
    for (row, problem) in
        [("(1, 'tower')", "location 1 is \"tower\" here and \"bridge\""), ("(NULL, 'a')", "oid is null")]
    {
        database.execute(&format!("INSERT INTO places VALUES {row}"));
        run("postgres:places").end().expect(1).says(&["a row of places", problem]);
        database.execute("DELETE FROM places WHERE geographical_location IN ('tower', 'a')");
    }
    run("postgres:places").summary();
    assert_stored(&place, &records, &names);
}

#[test]
fn what_cannot_be_read_is_told_at_once() {
    let place = Place::new();
    let folder = place.input("in", &detections(10, 96, Disorder(120_000)));
    let path = place.path("l.parquet");
    let set = |locations: &str| format!("cameras.locations={locations}");
    place.replay().args(["--set", &set("postgres:places")]).arg(&folder).end().expect(2).says(&["postgres.url"]);
    fs::write(&path, &fs::read(GOLDEN).expect("a file")[..700]).expect("a file");
    place.replay().args(["--set", &set(&shown(&path))]).arg(&folder).end().expect(2).says(&["l.parquet: "]);
    let topics = Topics::new();
    let check = |path: &str| topics.verb("check", &["--store", "null", "--set", &set(path)]);
    let output = check(&shown(&path)).end().expect(1);
    assert!(output.stdout.contains("✗ locations of cameras") && output.stdout.contains("l.parquet: "), "{output:?}");
    let output = check(GOLDEN).end().expect(0);
    assert!(output.stdout.contains("locations.parquet: 3 are known"), "{output:?}");
}
