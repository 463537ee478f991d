//! The tables of the citylens pipeline, as the contract names them.

use serde_json::Value as Json;

/// What a column holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Text,
    Int,
    Real,
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Text(String),
    Int(i64),
    Real(f64),
}

/// A table: its first `keys` columns are the primary key.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) keys: usize,
    pub(crate) columns: &'static [(&'static str, Kind)],
}

use Kind::{Int, Real, Text};

/// All but the mapping, whose ids the program chooses.
pub(crate) const TABLES: [Table; 4] = [
    Table {
        name: "tracks",
        keys: 1,
        columns: &[
            ("track_id", Text),
            ("citylens_track_id", Text),
            ("org_id", Text),
            ("status", Text),
            ("device_id", Text),
            ("started_at", Int),
            ("ended_at", Int),
            ("distance_meters", Real),
            ("updated_at", Int),
        ],
    },
    Table {
        name: "frames",
        keys: 1,
        columns: &[
            ("frame_id", Text),
            ("track_id", Text),
            ("citylens_track_id", Text),
            ("org_id", Text),
            ("sequence", Int),
            ("captured_at", Int),
            ("lat", Real),
            ("lon", Real),
            ("altitude", Real),
            ("accuracy", Real),
            ("heading", Real),
            ("speed", Real),
            ("image_url", Text),
            ("gps_key", Text),
            ("updated_at", Int),
        ],
    },
    Table {
        name: "detections",
        keys: 1,
        columns: &[
            ("detection_id", Text),
            ("frame_id", Text),
            ("track_id", Text),
            ("citylens_track_id", Text),
            ("org_id", Text),
            ("detector", Text),
            ("class_name", Text),
            ("confidence", Real),
            ("bbox_x", Real),
            ("bbox_y", Real),
            ("bbox_width", Real),
            ("bbox_height", Real),
            ("lat", Real),
            ("lon", Real),
            ("h3", Text),
            ("detected_at", Int),
            ("updated_at", Int),
            ("source", Text),
        ],
    },
    Table {
        name: "audit_log",
        keys: 3,
        columns: &[
            ("request_id", Text),
            ("entity", Text),
            ("entity_id", Text),
            ("org_id", Text),
            ("action", Text),
            ("source", Text),
            ("at", Int),
        ],
    },
];

impl Table {
    /// The table of that name.
    pub(crate) fn named(name: &str) -> &'static Table {
        TABLES.iter().find(|table| table.name == name).expect("a table")
    }

    /// Where a column stands.
    pub(crate) fn column(&self, name: &str) -> usize {
        self.columns.iter().position(|&(column, _)| column == name).expect("a column")
    }

    /// The primary key of a row.
    pub(crate) fn key(&self, row: &[Cell]) -> Vec<String> {
        row[..self.keys].iter().map(|cell| format!("{cell:?}")).collect()
    }
}

impl Kind {
    /// The cell that a JSON value stands for; a value of another kind is a mistake of the store's.
    pub(crate) fn cell(self, value: &Json) -> Cell {
        let cell = match (self, value) {
            (_, Json::Null) => Some(Cell::Null),
            (Text, value) => value.as_str().map(|text| Cell::Text(text.to_owned())),
            (Int, value) => value.as_i64().map(Cell::Int),
            (Real, value) => value.as_f64().map(Cell::Real),
        };
        cell.unwrap_or_else(|| panic!("{value} is not of kind {self:?}"))
    }
}
