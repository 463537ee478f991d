//! Catches stores and dry runs that come to other results than SQLite.

use crate::oracle::Oracle;
use crate::support::judge::{assert_counted, assert_same};
use crate::support::place::{Place, shown};
use crate::support::store::read_ndjson;
use crate::support::varied::varied;

/// The last line of a key is its row.
#[test]
fn ndjson_holds_the_same_rows() {
    let records = varied(1_000, 51);
    let (oracle, counts) = Oracle::of(&records);
    // Every store gives a track the same id.
    let reference = Place::new();
    reference.replay_records("in", &records);
    let ids = oracle.check_mapping(&reference.store().mapping());
    for workers in ["1", "3"] {
        let place = Place::new();
        let folder = place.path("tables");
        let run = place.replay_into(&format!("ndjson:{}", folder.display())).args(["-w", workers]);
        assert_counted(&run.arg(place.input("in", &records)).summary(), &counts);
        assert_same(&oracle.tables(&ids), &read_ndjson(&folder));
    }
}

#[test]
fn null_only_counts() {
    let records = varied(600, 52);
    let (_, counts) = Oracle::of(&records);
    let place = Place::new();
    assert_counted(&place.replay_into("null").arg(place.input("in", &records)).summary(), &counts);
    assert!(!place.database().exists());
}

#[test]
fn a_dry_run_counts_the_same_and_writes_nothing() {
    let records = varied(600, 53);
    let (_, counts) = Oracle::of(&records);
    let place = Place::new();
    let run = place.replay().args(["--dry-run", "--emit", &shown(&place.path("emit"))]);
    assert_counted(&run.arg(place.input("in", &records)).summary(), &counts);
    for name in ["hexflow.db", "objects", "emit"] {
        assert!(!place.path(name).exists(), "{name}");
    }
}
