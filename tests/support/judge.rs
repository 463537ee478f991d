//! Holds what the program stored and reported against what the oracle says.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::emitted::plain;
use super::place::Place;
use super::schema::{Cell, TABLES, Table};
use super::store::{Mapping, Tables};
use crate::oracle::{Counts, Oracle};

/// Asserts that the place's store holds what the oracle says, and nothing else.
#[track_caller]
pub(crate) fn assert_stored(place: &Place, oracle: &Oracle) {
    let store = place.store();
    assert_holds(place, oracle, &store.mapping(), &store.tables());
}

/// The same of a store that is not the place's own, but whose objects are.
#[track_caller]
pub(crate) fn assert_holds(place: &Place, oracle: &Oracle, mapping: &BTreeMap<String, Mapping>, tables: &Tables) {
    let ids = oracle.check_mapping(mapping);
    assert_objects(&place.objects(), tables, oracle);
    assert_same(&oracle.tables(&ids), tables);
}

/// Asserts that two sets of tables are equal but for the names of objects.
#[track_caller]
pub(crate) fn assert_same(expected: &Tables, actual: &Tables) {
    let mut differences = Vec::new();
    for table in &TABLES {
        let (expected, actual) = (&expected[table.name], &actual[table.name]);
        let name = table.name;
        differences.extend(expected.iter().filter_map(|(key, row)| match actual.get(key) {
            None => Some(format!("{name}: missing {row:?}")),
            Some(other) => {
                (!is_same(table, row, other)).then(|| format!("{name}: expected {row:?}\n{name}: there is {other:?}"))
            }
        }));
        let extra = actual.iter().filter(|(key, _)| !expected.contains_key(*key));
        differences.extend(extra.map(|(_, row)| format!("{name}: not expected {row:?}")));
    }
    let shown = differences.iter().take(5).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} differences, the first:\n{shown}", differences.len());
}

/// Whether rows are equal. The program names its objects: only whether there is one is compared.
fn is_same(table: &Table, row: &[Cell], other: &[Cell]) -> bool {
    let named = (table.name == "frames").then(|| table.column("gps_key"));
    let same = |(column, (a, b)): (usize, (&Cell, &Cell))| {
        a == b || Some(column) == named && (*a == Cell::Null) == (*b == Cell::Null)
    };
    row.len() == other.len() && row.iter().zip(other).enumerate().all(same)
}

/// Asserts that each frame's object holds the points of its message.
#[track_caller]
pub(crate) fn assert_objects(folder: &Path, tables: &Tables, oracle: &Oracle) {
    let frames = Table::named("frames");
    let (id, key) = (frames.column("frame_id"), frames.column("gps_key"));
    for row in tables["frames"].values() {
        let (Cell::Text(id), Cell::Text(key)) = (&row[id], &row[key]) else { continue };
        let path = folder.join(key);
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let points: Value = serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(Some(plain(&points)), oracle.gps(id).map(plain), "{}", path.display());
    }
}

/// Asserts that a summary counts as the oracle does, in all and for the pipeline, and lists the same stalls.
#[track_caller]
pub(crate) fn assert_counted(summary: &Value, counts: &Counts) {
    for part in [summary, &summary["pipelines"]["citylens"]] {
        let counted: BTreeMap<&str, &Value> = counts.named().keys().map(|&name| (name, &part[name])).collect();
        assert_eq!(json!(counted), json!(counts.named()), "{summary}");
    }
    for figure in ["seconds", "records_per_second"] {
        assert!(summary[figure].as_f64().is_some_and(|f| f >= 0.0), "{figure} in {summary}");
    }
    assert_eq!(stalls(summary), counts.stalls, "{summary}");
}

/// The same of a run that no longer knows, or never knew, all that it meets again: whether that is a repeat or stale it
/// cannot always tell, but that it is one of the two.
#[track_caller]
pub(crate) fn assert_counted_again(summary: &Value, counts: &Counts) {
    let count = |name: &str| summary[name].as_u64().unwrap_or_else(|| panic!("no {name} in {summary}"));
    let counted = Counts {
        records: count("records"),
        upserts: count("upserts"),
        duplicates: 0,
        stale: count("duplicates") + count("stale"),
        malformed: count("malformed"),
        stalled: count("stalled"),
        ignored: count("ignored"),
        stalls: stalls(summary),
    };
    let expected = Counts { duplicates: 0, stale: counts.duplicates + counts.stale, ..counts.clone() };
    assert_eq!(counted, expected, "{summary}");
}

/// Where a summary says that partitions stand still.
fn stalls(summary: &Value) -> Vec<(String, u32, u64)> {
    let place = |stall: &Value| {
        let topic = stall["topic"].as_str().expect("a topic").to_owned();
        let partition = stall["partition"].as_u64().and_then(|p| u32::try_from(p).ok()).expect("a partition");
        (topic, partition, stall["offset"].as_u64().expect("an offset"))
    };
    let mut stalls: Vec<_> = summary["stalls"].as_array().expect("a list of stalls").iter().map(place).collect();
    stalls.sort();
    stalls
}
