//! The tables as ClickHouse holds them: the columns of FORMATS, and what hexflow keeps beside them.

use hexflow_dataflows::pipelines::{Pipeline, Pipelines};

use super::windows::{CAMERAS, SENSORS, WINDOWS};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A text of few different values.
    Word,
    /// A finite number.
    Real,
    /// A whole number of 32 bits, not below zero.
    Number,
    /// A whole number of 64 bits.
    Integer,
    /// ms since the epoch.
    Time,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may hold nothing.
    pub nullable: bool,
}

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns; the first `keys` are the primary key, never null, and the order in which rows lie.
    pub columns: &'static [Column],
    /// How many columns the primary key has.
    pub keys: usize,
    /// What its rows are.
    pub rows: Rows,
}

/// How rows come to stand in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// By version; the column that says how new a row is, ms since the epoch. The key is of texts.
    Versioned(&'static str),
    /// As the last change of their key has left them.
    Changed,
    /// The same; each goes some time after it was written.
    Recent,
    /// As a whole, to be dropped as a whole: each key is a partition.
    Handed,
}

/// Beyond FORMATS: orders versions of one age, as [`hexflow_operators::versions::order_of`] packs it.
pub const VERSION: &str = "source_version";

/// Beyond FORMATS: a hash of what the row holds, by which a repeat is known.
pub const CONTENT: &str = "source_content";

/// Beyond FORMATS: when a row was written, by the server's clock.
pub const WRITTEN: &str = "written_at";

impl Table {
    /// The names of the primary key's columns.
    pub fn key(&self) -> impl Iterator<Item = &'static str> {
        self.columns[..self.keys].iter().map(|column| column.name)
    }

    /// Names and types of the columns that are inserted, those that order versions last.
    pub fn typed(&self) -> impl Iterator<Item = (&'static str, String)> {
        let own = self.columns.iter().map(|column| (column.name, column.sql_type()));
        let order = matches!(self.rows, Rows::Versioned(_)).then_some([VERSION, CONTENT]);
        own.chain(order.into_iter().flatten().map(|name| (name, "UInt64".to_owned())))
    }
}

impl Column {
    /// The type, as ClickHouse writes it.
    pub fn sql_type(&self) -> String {
        let plain = match self.kind {
            Kind::Text => "String",
            Kind::Word => "LowCardinality(String)",
            Kind::Real => "Float64",
            Kind::Number => "UInt32",
            Kind::Integer => "Int64",
            Kind::Time => "DateTime64(3)",
        };
        if self.nullable { format!("Nullable({plain})") } else { plain.to_owned() }
    }
}

/// `name: Kind`, with `or null` where there may be nothing.
macro_rules! columns {
    ($($name:ident: $kind:ident $(or $null:ident)?),* $(,)?) => {
        &[$(Column { name: stringify!($name), kind: Kind::$kind, nullable: columns!(@ $($null)?) }),*]
    };
    (@ null) => { true };
    (@) => { false };
}

pub(super) use columns;

/// The tables of citylens.
pub static CITYLENS: [Table; 4] = [
    Table {
        name: "tracks",
        keys: 1,
        rows: Rows::Versioned("updated_at"),
        columns: columns![
            track_id: Text, citylens_track_id: Text, org_id: Text or null, status: Word, device_id: Text or null, started_at: Time,
            ended_at: Time or null, distance_meters: Real or null, updated_at: Time,
        ],
    },
    Table {
        name: "frames",
        keys: 1,
        rows: Rows::Versioned("updated_at"),
        columns: columns![
            frame_id: Text, track_id: Text, citylens_track_id: Text, org_id: Text or null, sequence: Number, captured_at: Time,
            lat: Real, lon: Real, altitude: Real or null, accuracy: Real or null, heading: Real or null, speed: Real or null, image_url: Text or null,
            gps_key: Text or null, updated_at: Time,
        ],
    },
    Table {
        name: "detections",
        keys: 1,
        rows: Rows::Versioned("updated_at"),
        columns: columns![
            detection_id: Text, frame_id: Text, track_id: Text, citylens_track_id: Text, org_id: Text or null, detector: Word,
            class_name: Word, confidence: Real, bbox_x: Real, bbox_y: Real, bbox_width: Real, bbox_height: Real,
            lat: Real, lon: Real, h3: Text, detected_at: Time, updated_at: Time, source: Word,
        ],
    },
    Table {
        name: "audit_log",
        keys: 3,
        rows: Rows::Versioned("at"),
        columns: columns![
            request_id: Text, entity: Word, entity_id: Text, org_id: Text or null, action: Word, source: Word, at: Time,
        ],
    },
];

/// The tables that pipelines need.
pub fn tables(pipelines: Pipelines) -> impl Iterator<Item = &'static Table> {
    let [citylens, sensors, cameras] = Pipeline::ALL.map(|pipeline| pipelines.contains(pipeline));
    let own: [(&[Table], bool); 4] =
        [(&CITYLENS, citylens), (&SENSORS, sensors), (&CAMERAS, cameras), (&WINDOWS, sensors || cameras)];
    own.into_iter().filter(|(_, are_needed)| *are_needed).flat_map(|(tables, _)| tables)
}

/// The table of that name.
pub fn table(name: &str) -> Option<&'static Table> {
    [&CITYLENS[..], &SENSORS, &CAMERAS, &WINDOWS].into_iter().flatten().find(|table| table.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::alerts::{AlertNoticeRow, AlertRow, AlertStateRow};
    use crate::tables::rows::{AuditRow, DetectionRow, FrameRow, TrackRow};
    use crate::tables::windows::{
        CameraDetectionRow, CameraWindowRow, MarkRow, ReadingRow, SensorWindowRow, TravelerRow,
    };
    use crate::tables::{Columns, columns};

    fn same_columns<R: Columns>() {
        let ours: Vec<_> = table(R::TABLE).expect(R::TABLE).columns.iter().map(|column| column.name).collect();
        let theirs: Vec<_> = R::COLUMNS.iter().map(|column: &columns::Column| column.name).collect();
        assert_eq!(ours, theirs);
    }

    #[test]
    fn columns_are_those_of_the_rows() {
        same_columns::<TrackRow<'_>>();
        same_columns::<FrameRow<'_>>();
        same_columns::<DetectionRow<'_>>();
        same_columns::<AuditRow<'_>>();
        same_columns::<TravelerRow<'_>>();
        same_columns::<SensorWindowRow<'_>>();
        same_columns::<ReadingRow<'_>>();
        same_columns::<CameraDetectionRow<'_>>();
        same_columns::<CameraWindowRow<'_>>();
        same_columns::<MarkRow<'_>>();
        same_columns::<AlertRow<'_>>();
        same_columns::<AlertStateRow<'_>>();
        same_columns::<AlertNoticeRow<'_>>();
    }

    #[test]
    fn keys_and_ages_are_columns() {
        for table in tables(Pipelines::all()) {
            let keys = &table.columns[..table.keys];
            assert!(keys.iter().all(|column| !column.nullable), "{}", table.name);
            if let Rows::Versioned(age) = table.rows {
                assert!(keys.iter().all(|column| matches!(column.kind, Kind::Text | Kind::Word)), "{}", table.name);
                assert!(table.columns.iter().any(|column| column.name == age && column.kind == Kind::Time));
            }
        }
    }

    #[test]
    fn a_pipeline_needs_its_own_tables_alone() {
        let names = |pipeline| tables([pipeline].into_iter().collect()).map(|table| table.name).collect::<Vec<_>>();
        assert_eq!(names(Pipeline::Citylens), ["tracks", "frames", "detections", "audit_log"]);
        let shared = ["alerts", "alert_states", "alert_notices", "watermarks", "pending_changes"];
        assert_eq!(names(Pipeline::Cameras), [&["camera_detections", "camera_windows"][..], &shared].concat());
    }
}
