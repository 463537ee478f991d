//! What a run stored: SQLite tables, ndjson files, objects.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value as Json, json};

use super::schema::{Cell, TABLES};

/// Rows by primary key, of each table.
pub(crate) type Tables = BTreeMap<&'static str, BTreeMap<Vec<String>, Vec<Cell>>>;

/// A row of `citylens_track_mapping`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mapping {
    pub(crate) axion: String,
    pub(crate) source: String,
}

/// A SQLite file that the program wrote.
pub(crate) struct Store {
    pub(crate) connection: Connection,
}

impl Store {
    pub(crate) fn open(path: &Path) -> Store {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        connection.busy_timeout(Duration::from_secs(10)).expect("a timeout");
        Store { connection }
    }

    /// The rows of all tables.
    pub(crate) fn tables(&self) -> Tables {
        let mut tables = Tables::new();
        for table in &TABLES {
            let columns: Vec<String> = table.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            let rows = tables.entry(table.name).or_default();
            for values in self.rows(&format!("SELECT {} FROM {}", columns.join(","), table.name)) {
                let cells: Vec<Cell> = table.columns.iter().zip(&values).map(|((_, kind), v)| kind.cell(v)).collect();
                let twice = rows.insert(table.key(&cells), cells);
                assert!(twice.is_none(), "two rows of one key in {}: {twice:?}", table.name);
            }
        }
        tables
    }

    /// The mapping rows by citylens track id.
    pub(crate) fn mapping(&self) -> BTreeMap<String, Mapping> {
        let text = |value: &Json| value.as_str().expect("a text").to_owned();
        self.rows("SELECT citylens_track_id, axion_track_id, source, created_at FROM citylens_track_mapping")
            .iter()
            .map(|row| {
                assert!(row[3].is_i64(), "created_at is epoch ms: {row:?}");
                (text(&row[0]), Mapping { axion: text(&row[1]), source: text(&row[2]) })
            })
            .collect()
    }

    /// Puts a mapping row in, as a migration does.
    pub(crate) fn put_mapping(&self, citylens: &str, axion: &str) {
        let insert = "INSERT INTO citylens_track_mapping (citylens_track_id, axion_track_id, created_at, source) \
                      VALUES (?1, ?2, 1640000000000, 'migration')";
        self.connection.execute(insert, [citylens, axion]).expect("a mapping row");
    }

    /// Every column of every row, as text: equal only if nothing at all changed.
    pub(crate) fn everything(&self) -> String {
        let mut all = String::new();
        for table in TABLES.iter().map(|table| table.name).chain(["citylens_track_mapping"]) {
            let mut rows: Vec<String> = self
                .rows(&format!("SELECT * FROM {table}"))
                .iter()
                .map(|row| json!([table, row]).to_string())
                .collect();
            rows.sort();
            all.push_str(&rows.join("\n"));
        }
        all
    }

    /// The rows of a query.
    pub(crate) fn rows(&self, query: &str) -> Vec<Vec<Json>> {
        let mut statement = self.connection.prepare(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| (0..columns).map(|n| row.get_ref(n).map(json_of)).collect());
        rows.expect(query).map(|row| row.expect(query)).collect()
    }
}

fn json_of(value: ValueRef<'_>) -> Json {
    match value {
        ValueRef::Null => Json::Null,
        ValueRef::Integer(integer) => json!(integer),
        ValueRef::Real(real) => json!(real),
        ValueRef::Text(text) => json!(std::str::from_utf8(text).expect("UTF-8")),
        ValueRef::Blob(bytes) => panic!("a blob of {} bytes, where no column has one", bytes.len()),
    }
}

/// How many rows a table holds, seen from outside while the program runs; 0 as long as there is no such table.
pub(crate) fn count_rows(path: &Path, table: &str) -> i64 {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let count = |connection: Connection| {
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0))
    };
    Connection::open_with_flags(path, flags).and_then(count).unwrap_or(0)
}

/// The rows that `ndjson:FOLDER` wrote: one file a table, the last line of a key wins.
pub(crate) fn read_ndjson(folder: &Path) -> Tables {
    let mut tables = Tables::new();
    for table in &TABLES {
        let path = folder.join(format!("{}.ndjson", table.name));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let rows = tables.entry(table.name).or_default();
        for line in text.lines() {
            let row: Json = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let cells: Vec<Cell> = table.columns.iter().map(|(name, kind)| kind.cell(&row[*name])).collect();
            rows.insert(table.key(&cells), cells);
        }
    }
    tables
}
