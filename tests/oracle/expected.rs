//! The tables that must have come of it, once the ids are known that the program gave to tracks.

use std::collections::{BTreeMap, BTreeSet};

use h3o::{LatLng, Resolution};
use serde_json::Value;
use uuid::Uuid;

use super::Oracle;
use super::message::Item;
use crate::support::schema::{Cell, TABLES, Table};
use crate::support::store::{Mapping, Tables};

/// Axion track ids by citylens track id.
pub(crate) type Ids = BTreeMap<String, String>;

impl Oracle {
    /// Asserts that the mapping is what it must be; the ids in it.
    #[track_caller]
    pub(crate) fn check_mapping(&self, mapping: &BTreeMap<String, Mapping>) -> Ids {
        let expected: BTreeSet<&String> = self.mapped.iter().chain(self.standing.keys()).collect();
        let actual: BTreeSet<&String> = mapping.keys().collect();
        assert_eq!(expected, actual, "the mapped tracks");
        let unique: BTreeSet<&String> = mapping.values().map(|row| &row.axion).collect();
        assert_eq!(unique.len(), mapping.len(), "each axion track id once");
        for (citylens, row) in mapping {
            if let Some(standing) = self.standing.get(citylens) {
                assert_eq!(
                    (&row.axion, row.source.as_str()),
                    (standing, "migration"),
                    "the standing row of {citylens}"
                );
            } else {
                let version = Uuid::try_parse(&row.axion).expect("a UUID").get_version_num();
                assert_eq!((version, row.source.as_str()), (5, "realtime"), "the row of {citylens}: {row:?}");
            }
        }
        mapping.iter().map(|(citylens, row)| (citylens.clone(), row.axion.clone())).collect()
    }

    /// The rows of all tables.
    pub(crate) fn tables(&self, ids: &Ids) -> Tables {
        let mut tables: Tables = TABLES.iter().map(|table| (table.name, BTreeMap::new())).collect();
        let mut put = |table: &'static Table, columns: &BTreeMap<&'static str, Cell>| {
            let row: Vec<Cell> = table.columns.iter().map(|(name, _)| columns[name].clone()).collect();
            tables.get_mut(table.name).expect("all are there").insert(table.key(&row), row);
        };
        for version in self.versions.values() {
            let item = &version.item;
            let mut columns = item.columns.clone();
            columns.insert("track_id", Cell::Text(ids[&item.track].clone()));
            columns.insert("gps_key", item.gps.as_ref().map_or(Cell::Null, |_| Cell::Text("an object".to_owned())));
            if item.entity == "detection" {
                columns.insert("h3", Cell::Text(cell_of(item)));
            }
            put(Table::named(&format!("{}s", item.entity)), &columns);
        }
        for item in &self.upserts {
            put(Table::named("audit_log"), &audit_columns(item, ids));
        }
        tables
    }

    /// The detailed GPS that a frame must have.
    pub(crate) fn gps(&self, frame: &str) -> Option<&Value> {
        self.versions.get(&("frame", frame.to_owned()))?.item.gps.as_ref()
    }
}

fn audit_columns(item: &Item, ids: &Ids) -> BTreeMap<&'static str, Cell> {
    let text = |text: &str| Cell::Text(text.to_owned());
    BTreeMap::from([
        ("request_id", text(&item.request_id)),
        ("entity", text(item.entity)),
        ("entity_id", text(item.entity_id(ids))),
        ("org_id", item.columns["org_id"].clone()),
        ("action", text("upsert")),
        ("source", text("citylens")),
        ("at", item.columns["updated_at"].clone()),
    ])
}

impl Item {
    /// The primary key of its row.
    pub(super) fn entity_id<'a>(&'a self, ids: &'a Ids) -> &'a str {
        if self.entity == "track" { &ids[&self.track] } else { &self.id }
    }
}

/// The H3 resolution-2 cell of a detection.
pub(super) fn cell_of(item: &Item) -> String {
    let (Cell::Real(lat), Cell::Real(lon)) = (&item.columns["lat"], &item.columns["lon"]) else {
        panic!("a detection has a place: {item:?}")
    };
    let place = LatLng::new(*lat, *lon).expect("a place on earth");
    format!("{:015x}", u64::from(place.to_cell(Resolution::Two)))
}
