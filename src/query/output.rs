//! How answers are written: a table for people, CSV, or one JSON object. All show the columns that FORMATS names; times are ms
//! since the epoch, but in the table.

use clap::ValueEnum;
use serde_json::{Map, Value as Json};

use super::Problem;
use super::parameters::shown;
use super::problem::MAX_ROWS;
use crate::tables::columns::Column;
use crate::tables::json::write_line;
use crate::tables::{Columns, Visitor};

/// How an answer is written.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A table for people: times in UTC, speeds to the millimetre.
    Table,
    /// One JSON object.
    Json,
    /// Comma-separated values with a line of names.
    Csv,
}

/// An answer in the making.
pub struct Output {
    format: Format,
    columns: &'static [Column],
    rows: usize,
    bytes: Vec<u8>,
    /// Of a table: text, and whether it stands at the right.
    cells: Vec<Vec<(String, bool)>>,
}

impl Output {
    /// Of rows of these columns.
    pub fn new(format: Format, columns: &'static [Column]) -> Self {
        let mut output = Output { format, columns, rows: 0, bytes: Vec::new(), cells: Vec::new() };
        let names = columns.iter().map(|column| column.name);
        match format {
            Format::Csv => output.bytes.extend((names.collect::<Vec<_>>().join(",") + "\r\n").bytes()),
            Format::Table => output.cells.push(names.map(|name| (name.to_owned(), false)).collect()),
            Format::Json => {}
        }
        output
    }

    /// Adds a row; refuses what would be too many.
    pub fn push(&mut self, row: &impl Columns) -> Result<(), Problem> {
        self.rows += 1;
        if self.rows > MAX_ROWS {
            return Err(Problem::TooMany);
        }
        match self.format {
            Format::Json => {
                write_line(&mut self.bytes, row);
                self.bytes.pop();
                self.bytes.push(b',');
            }
            Format::Csv => {
                row.visit(&mut Csv(&mut self.bytes));
                self.bytes.pop();
                self.bytes.extend_from_slice(b"\r\n");
            }
            Format::Table => {
                let mut cells = Vec::with_capacity(self.columns.len());
                row.visit(&mut Cells(&mut cells));
                self.cells.push(cells);
            }
        }
        Ok(())
    }

    /// All of it. `about` says in JSON what was asked for; the rows follow it, called `name`.
    pub fn finish(mut self, about: Map<String, Json>, name: &str) -> Vec<u8> {
        match self.format {
            Format::Csv => self.bytes,
            Format::Table => table(&self.cells).into_bytes(),
            Format::Json => {
                self.bytes.pop(); // the comma behind the last row
                let mut object = Json::Object(about).to_string().into_bytes();
                object.pop();
                object.extend_from_slice(format!(",\"{name}\":[").as_bytes());
                object.append(&mut self.bytes);
                object.extend_from_slice(b"]}\n");
                object
            }
        }
    }
}

/// Values with a comma behind each.
struct Csv<'a>(&'a mut Vec<u8>);

impl Visitor for Csv<'_> {
    fn null(&mut self, _: Column) {
        self.0.push(b',');
    }

    fn text(&mut self, _: Column, value: &[u8]) {
        if value.iter().any(|byte| b",\"\r\n".contains(byte)) {
            self.0.push(b'"');
            value
                .iter()
                .for_each(|byte| self.0.extend(if *byte == b'"' { &b"\"\""[..] } else { std::slice::from_ref(byte) }));
            self.0.push(b'"');
        } else {
            self.0.extend_from_slice(value);
        }
        self.0.push(b',');
    }

    fn integer(&mut self, _: Column, value: i64) {
        self.0.extend(format!("{value},").bytes());
    }

    fn real(&mut self, _: Column, value: f64) {
        self.0.extend(format!("{value},").bytes());
    }
}

/// Values as people read them.
struct Cells<'a>(&'a mut Vec<(String, bool)>);

impl Visitor for Cells<'_> {
    fn null(&mut self, column: Column) {
        let is_key = ["sensor_id", "traveler_type"].contains(&column.name);
        self.0.push((if is_key { "all" } else { "-" }.to_owned(), !is_key));
    }

    /// Escaped: a name must not move the cursor.
    fn text(&mut self, _: Column, value: &[u8]) {
        self.0.push((String::from_utf8_lossy(value).escape_debug().to_string(), false));
    }

    fn integer(&mut self, column: Column, value: i64) {
        let is_time = ["window_end", "window_start"].contains(&column.name);
        self.0.push((if is_time { shown(value) } else { value.to_string() }, !is_time));
    }

    fn real(&mut self, _: Column, value: f64) {
        self.0.push((format!("{value:.3}"), true));
    }
}

fn table(cells: &[Vec<(String, bool)>]) -> String {
    let width = |at: usize| cells.iter().map(|row| row[at].0.chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..cells.first().map_or(0, Vec::len)).map(width).collect();
    let is_right = |at: usize| cells.last().is_some_and(|row| row[at].1);
    let mut table = String::new();
    for row in cells {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(
            |(at, ((text, _), &width))| {
                if is_right(at) { format!("{text:>width$}") } else { format!("{text:<width$}") }
            },
        );
        table.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::windows::CameraWindowRow;

    fn written(format: Format, items: &[&str]) -> String {
        let mut output = Output::new(format, CameraWindowRow::COLUMNS);
        for item_name in items {
            let row = CameraWindowRow {
                geographical_location_oid: -7,
                item_name,
                window_start: 1_641_168_000_000,
                window_ms: 10_000,
                detections: 12,
            };
            output.push(&row).expect("few");
        }
        let about = Map::from_iter([("from".to_owned(), Json::from(5))]);
        String::from_utf8(output.finish(about, "windows")).expect("UTF-8")
    }

    #[test]
    fn each_format_keeps_odd_names_apart() {
        let names = ["big, \"red\"\ncar", "bus"];
        let json: Json = serde_json::from_str(&written(Format::Json, &names)).expect("JSON");
        assert_eq!((json["from"].as_i64(), json["windows"][0]["item_name"].as_str()), (Some(5), Some(names[0])));
        assert_eq!(
            (json["windows"][1]["window_start"].as_i64(), json["windows"].as_array().map(Vec::len)),
            (Some(1_641_168_000_000), Some(2))
        );
        let csv = "geographical_location_oid,item_name,window_start,window_ms,detections\r\n\
                   -7,\"big, \"\"red\"\"\ncar\",1641168000000,10000,12\r\n-7,bus,1641168000000,10000,12\r\n";
        assert_eq!(written(Format::Csv, &names), csv);
        let table = written(Format::Table, &names);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.len(), 3, "{table}");
        assert!(lines[1].contains("big, \\\"red\\\"\\ncar") && lines[2].contains("2022-01-03T00:00:00Z"), "{table}");
    }

    #[test]
    fn nothing_is_an_answer_too() {
        assert_eq!(written(Format::Json, &[]), "{\"from\":5,\"windows\":[]}\n");
        assert_eq!(written(Format::Csv, &[]).lines().count(), 1);
        assert!(written(Format::Table, &[]).starts_with("geographical_location_oid  item_name"));
    }

    #[test]
    fn too_many_rows_are_refused() {
        let mut output = Output::new(Format::Csv, CameraWindowRow::COLUMNS);
        let row = || CameraWindowRow {
            geographical_location_oid: 1,
            item_name: "",
            window_start: 0,
            window_ms: 1,
            detections: 0,
        };
        (0..MAX_ROWS).for_each(|_| output.push(&row()).expect("not yet"));
        assert!(matches!(output.push(&row()), Err(Problem::TooMany)));
    }
}
