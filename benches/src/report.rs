//! A report: what one bench found, as a table for people and as one JSON object for programs.
//!
//! ```ignore
//! let mut report = Report::new("state", "cost of a record as keys grow in number");
//! report.fact("records", 1_000_000);           // JSON, and a line under the title
//! report.columns([
//!     Column::text("what", "what"),            // its name in JSON, its head in the table
//!     Column::figure("keys", "keys", 0),       // digits after the point, in the table only
//!     Column::percent("spread", "spread"),     // 0.034 is printed as 3.4%
//!     Column::unprinted("runs"),               // in JSON only
//! ]);
//! report.row(["sharded".into(), 1_000_000_u64.into(), Cell::from(0.034), Cell::list([1.0, 1.1])]);
//! report.note("one worker; page cache warm");  // under the table
//! report.print(args.json)
//! ```

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::surroundings::surroundings;

/// A column of the table, and a field of each of its rows in JSON.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    name: &'static str,
    head: &'static str,
    form: Form,
}

/// How a column's figures are printed; JSON has them as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Digits(usize),
    Percent,
    Unprinted,
}

impl Column {
    /// Words, at the left.
    pub(crate) fn text(name: &'static str, head: &'static str) -> Self {
        Column { name, head, form: Form::Text }
    }

    /// A figure with so many digits after the point.
    pub(crate) fn figure(name: &'static str, head: &'static str, digits: usize) -> Self {
        Column { name, head, form: Form::Digits(digits) }
    }

    /// A part of one, as percent.
    pub(crate) fn percent(name: &'static str, head: &'static str) -> Self {
        Column { name, head, form: Form::Percent }
    }

    /// What only JSON has.
    pub(crate) fn unprinted(name: &'static str) -> Self {
        Column { name, head: "", form: Form::Unprinted }
    }
}

/// What stands in a column of a row: `"..".into()`, a number's `.into()`, a list, or nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cell(Value);

impl Cell {
    /// Not measured: `-` in the table, `null` in JSON.
    pub(crate) const NOTHING: Cell = Cell(Value::Null);

    /// Several values, for a column that is not printed.
    pub(crate) fn list(values: impl IntoIterator<Item = impl Into<Value>>) -> Self {
        Cell(values.into_iter().map(Into::into).collect())
    }

    fn printed(&self, form: Form) -> String {
        match (&self.0, form) {
            (Value::Null, _) => "-".to_owned(),
            (Value::String(text), _) => text.clone(),
            (Value::Number(number), Form::Digits(digits)) => grouped(number.as_f64().unwrap_or(f64::NAN), digits),
            (Value::Number(number), Form::Percent) => format!("{:.1}%", number.as_f64().unwrap_or(f64::NAN) * 100.0),
            (other, _) => other.to_string(),
        }
    }
}

impl<T: Into<Value>> From<T> for Cell {
    fn from(value: T) -> Self {
        Cell(value.into())
    }
}

/// A number with its thousands set apart.
pub(crate) fn grouped(number: f64, digits: usize) -> String {
    let plain = format!("{number:.digits$}");
    let (whole, rest) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    let mut text = String::new();
    for (at, digit) in whole.char_indices() {
        let left = whole.len() - at;
        if left % 3 == 0 && text.ends_with(|before: char| before.is_ascii_digit()) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

/// What one bench found.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    bench: &'static str,
    title: String,
    facts: Vec<(&'static str, Value)>,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    notes: Vec<String>,
}

impl Report {
    /// A report without rows; `bench` is what `hexflow bench` was told to measure.
    pub(crate) fn new(bench: &'static str, title: impl Into<String>) -> Self {
        let (facts, columns, rows, notes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Report { bench, title: title.into(), facts, columns, rows, notes }
    }

    /// Something that is true of all rows, as how many records there were.
    pub(crate) fn fact(&mut self, name: &'static str, value: impl Into<Value>) -> &mut Self {
        self.facts.push((name, value.into()));
        self
    }

    /// What each row has; before the first row.
    pub(crate) fn columns(&mut self, columns: impl IntoIterator<Item = Column>) -> &mut Self {
        self.columns = columns.into_iter().collect();
        self
    }

    /// Adds a row of as many cells as there are columns.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) -> &mut Self {
        self.rows.push(cells.into_iter().collect());
        assert_eq!(self.rows.last().map(Vec::len), Some(self.columns.len()), "a row has a cell for each column");
        self
    }

    /// Adds a sentence below the table.
    pub(crate) fn note(&mut self, note: impl Into<String>) -> &mut Self {
        self.notes.push(note.into());
        self
    }

    /// Writes it to standard output.
    pub(crate) fn print(&self, json: bool) -> Result<()> {
        let surroundings = surroundings();
        let text = if json { format!("{}\n", self.json(&surroundings)) } else { self.table(&surroundings) };
        std::io::stdout().lock().write_all(text.as_bytes())?;
        Ok(())
    }

    /// For people.
    pub(crate) fn table(&self, surroundings: &[(&str, String)]) -> String {
        let mut text = format!("{}\n", self.title);
        let facts = self.facts.iter().map(|(name, value)| match value {
            Value::Number(number) if !number.is_f64() => {
                format!("{name} {}", grouped(number.as_f64().unwrap_or(f64::NAN), 0))
            }
            Value::String(text) => format!("{name} {text}"),
            other => format!("{name} {other}"),
        });
        let machine = surroundings.iter().map(|(name, value)| format!("{name} {value}"));
        for line in [facts.collect::<Vec<_>>(), machine.collect()] {
            let _ = writeln!(text, "{}", line.join(", "));
        }
        text.push('\n');
        let printed: Vec<_> = (0..self.columns.len()).filter(|&at| self.columns[at].form != Form::Unprinted).collect();
        let line_of = |cell: &dyn Fn(usize) -> String| printed.iter().map(|&at| cell(at)).collect::<Vec<_>>();
        let mut lines = vec![line_of(&|at| self.columns[at].head.to_owned())];
        lines.extend(self.rows.iter().map(|row| line_of(&|at| row[at].printed(self.columns[at].form))));
        let widths: Vec<_> =
            (0..printed.len()).map(|at| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0)).collect();
        for line in &lines {
            let padded = line.iter().zip(&printed).zip(&widths).map(|((cell, &at), &width)| {
                if self.columns[at].form == Form::Text { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            let _ = writeln!(text, "{}", padded.collect::<Vec<_>>().join("  ").trim_end());
        }
        if !self.notes.is_empty() {
            let _ = writeln!(text, "\n{}", self.notes.join("\n"));
        }
        text
    }

    /// For programs.
    fn json(&self, surroundings: &[(&str, String)]) -> Value {
        let mut object = Map::new();
        object.insert("bench".to_owned(), self.bench.into());
        object.insert("title".to_owned(), self.title.as_str().into());
        object.extend(self.facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let machine = surroundings.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())));
        object.insert("surroundings".to_owned(), machine.collect::<Map<_, _>>().into());
        let row_of = |row: &Vec<Cell>| {
            let named = self.columns.iter().zip(row).map(|(column, cell)| (column.name.to_owned(), cell.0.clone()));
            Value::from(named.collect::<Map<_, _>>())
        };
        object.insert("results".to_owned(), self.rows.iter().map(row_of).collect());
        object.insert("notes".to_owned(), json!(self.notes));
        object.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Report {
        let mut report = Report::new("replay", "Replays");
        report.fact("records", 1_234_567_u64).columns([
            Column::text("what", "what"),
            Column::figure("rate", "records/s", 0),
            Column::percent("spread", "spread"),
            Column::unprinted("runs"),
        ]);
        report.row(["limit".into(), 1_000_000.4.into(), 0.0345.into(), Cell::list([1.0, 2.0])]);
        report.row(["hexflow -w 1".into(), 999.6.into(), Cell::NOTHING, Cell::NOTHING]);
        report
    }

    #[test]
    fn a_table_has_its_columns_aligned() {
        let text = sample().table(&[("cpu", "some".to_owned())]);
        let wanted = "Replays\nrecords 1,234,567\ncpu some\n\n\
                      what          records/s  spread\n\
                      limit         1,000,000    3.5%\n\
                      hexflow -w 1      1,000       -\n";
        assert_eq!(text, wanted);
    }

    #[test]
    fn json_has_unrounded_figures_and_what_is_not_printed() {
        let object = sample().json(&[("cpu", "some".to_owned())]);
        assert_eq!(object["records"], 1_234_567);
        assert_eq!(object["surroundings"]["cpu"], "some");
        let row = json!({"what": "limit", "rate": 1_000_000.4, "spread": 0.0345, "runs": [1.0, 2.0]});
        assert_eq!(object["results"][0], row);
        assert_eq!(object["results"][1]["spread"], Value::Null);
    }

    #[test]
    fn thousands_are_set_apart() {
        let all = [(0.0, 0), (999.0, 0), (1_000.0, 0), (-1_000.0, 0), (-100.0, 0), (1_234_567.891, 2)];
        let texts = all.map(|(number, digits)| grouped(number, digits));
        assert_eq!(texts, ["0", "999", "1,000", "-1,000", "-100", "1,234,567.89"]);
    }
}
