//! Catches a store that cannot be written to and takes records with it, or leaves its user without a word.

use std::fs::{self, File};

use rusqlite::Connection;

use crate::oracle::Oracle;
use crate::support::judge::assert_stored;
use crate::support::place::{Place, shown};
use crate::support::run::Run;
use crate::support::sample;
use crate::support::scene::Scene;

/// Whatever went wrong, the next run completes the work.
fn completes(place: &Place) {
    place.replay().args(["-w", "2"]).arg(place.path("in")).summary();
}

/// Another program holds the database for longer than the run has patience.
#[test]
fn a_locked_database() {
    let records = Scene::vehicles(100).records;
    let place = Place::new();
    place.replay_records("in", &Scene::vehicles(1).records);
    place.input("in", &records);
    let other = Connection::open(place.database()).expect("a database");
    other.execute_batch("BEGIN EXCLUSIVE").expect("a lock");
    let output = place.replay().arg(place.path("in")).end().expect(1).says(&["hexflow.db"]);
    assert!(["locked", "busy"].iter().any(|word| output.stderr.contains(word)), "{output:?}");
    other.execute_batch("ROLLBACK").expect("no lock");
    completes(&place);
    assert_stored(&place, &Oracle::of(&records).0);
}

/// The limit on file sizes stands for a full disk: a write fails in the middle of the work.
#[test]
fn a_full_disk() {
    let records = sample::first_hours(3);
    let place = Place::new();
    place.input("in", &records);
    let run = place.replay().args(["-w", "2"]).arg(place.path("in"));
    run.after_shell("trap '' XFSZ; ulimit -f 2048").end().expect(1).says(&["hexflow.db"]);
    completes(&place);
    assert_stored(&place, &Oracle::of(&records).0);
}

/// The same, met by the outgoing dumps first.
#[test]
fn a_full_disk_for_what_is_sent_on() {
    let records = sample::first_hours(3);
    let place = Place::new();
    place.input("in", &records);
    let objects = format!("object_store.url=file://{}", place.objects().display());
    let emit = shown(&place.path("emit"));
    let run = Run::new("replay").args(["--store", "null", "--set", &objects, "--emit", &emit]).arg(place.path("in"));
    run.after_shell("trap '' XFSZ; ulimit -f 1024").end().expect(1).says(&[&emit]);
    completes(&place);
    assert_stored(&place, &Oracle::of(&records).0);
}

#[test]
fn a_database_that_cannot_be_made() {
    let place = Place::new();
    let folder = place.input("in", &Scene::vehicles(10).records);
    fs::create_dir(place.path("a-folder.db")).expect("a folder");
    fs::write(place.path("garbage.db"), "this is not a database, but long enough to be taken for one\n".repeat(50))
        .expect("a file");
    for database in
        ["/proc/nowhere/hexflow.db".to_owned(), shown(&place.path("a-folder.db")), shown(&place.path("garbage.db"))]
    {
        let run = place.replay_into(&format!("sqlite:{database}"));
        run.arg(&folder).end().expect(1).says(&[&database]);
    }
}

#[test]
fn an_object_store_that_cannot_be_written() {
    let records = Scene::vehicles(50).records;
    let place = Place::new();
    place.input("in", &records);
    // A file where the folder should be.
    File::create(place.objects()).expect("a file");
    place.replay().arg(place.path("in")).end().expect(1).says(&["objects"]);
    fs::remove_file(place.objects()).expect("a file");
    completes(&place);
    assert_stored(&place, &Oracle::of(&records).0);
}

#[test]
fn an_emit_folder_that_cannot_be_made() {
    let place = Place::new();
    let folder = place.input("in", &Scene::vehicles(10).records);
    File::create(place.path("emit")).expect("a file");
    place.replay().args(["--emit", &shown(&place.path("emit"))]).arg(folder).end().expect(1).says(&["emit"]);
}

/// The summary finds no room either.
#[test]
fn a_full_standard_output() {
    let place = Place::new();
    let run = place.replay().arg(place.input("in", &Scene::vehicles(10).records));
    run.after_shell("exec > /dev/full").end().expect(1);
}
