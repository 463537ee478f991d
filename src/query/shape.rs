//! Whether the windows that are stored are those that are configured: a question about others would be answered with zeros.

use super::Problem;
use super::dialect::{Kind, Statement};
use super::parameters::Span;
use super::reader::Reader;

/// A table of windows, and what is configured of it.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The table.
    pub table: &'static str,
    /// The two columns that begin its primary key.
    pub keys: [&'static str; 2],
    /// The column of its windows' times.
    pub time: &'static str,
    /// Length of a window, ms, and the key that sets it.
    pub window: (i64, &'static str),
    /// What windows' times are multiples of, ms, and the key that sets it.
    pub unit: (i64, &'static str),
}

impl Shape {
    /// The windows with times in `[from, to)`, or in `(from, to]` where these are ends; `only` narrows them further. To stand
    /// where `FROM` stands.
    pub fn within(&self, reader: &Reader, span: Span, are_ends: bool, only: &str) -> String {
        let dialect = reader.dialect();
        let (from, to) = (dialect.at(span.from_ms), dialect.at(span.to_ms));
        let (lower, upper) = if are_ends { (">", "<=") } else { (">=", "<") };
        self.rows(reader, &format!("{time} {lower} {from} AND {time} {upper} {to}{only}", time = self.time))
    }

    fn rows(&self, reader: &Reader, condition: &str) -> String {
        let [first, second] = self.keys;
        format!("FROM {} WHERE {condition}", reader.dialect().windows(self.table, first, second))
    }

    /// Refuses windows that are not of this shape: those of `within`, which was made with `only`.
    pub fn check(&self, reader: &Reader, within: &str, only: &str) -> Result<(), Problem> {
        let (dialect, (window_ms, window_key), (unit_ms, unit_key)) = (reader.dialect(), self.window, self.unit);
        let time = dialect.ms(self.time);
        let (odd, last) = (format!("MAX(ABS({time} % {unit_ms}))"), format!("MAX({time})"));
        let columns =
            ["COUNT(*)", "MIN(window_ms)", "MAX(window_ms)", &odd, &last].map(|column| (Kind::Integer, column));
        let [count, least, most, odd, last_ms] = integers(reader, &dialect.select(&columns, within))?;
        if count == 0 {
            return Ok(());
        }
        let refused = |what: String, key: &str| {
            let why =
                format!("the table {} holds windows {what}: set {key} as it was when they were stored", self.table);
            Err(Problem::Mismatch(why))
        };
        if let Some(other) = [least, most].into_iter().find(|other| *other != window_ms) {
            return refused(format!("of {other} ms, and {window_key} is {window_ms} ms"), window_key);
        }
        if odd != 0 {
            return refused(format!("at other times than the multiples of {unit_key}, {unit_ms} ms"), unit_key);
        }
        // A visit touches windows over at least a window's length, so with each of them the one before it or behind it.
        if window_ms / 2 >= unit_ms {
            let [before, behind] = [last_ms - unit_ms, last_ms + unit_ms].map(|at| dialect.at(at));
            let neighbours = self.rows(reader, &format!("{} IN ({before}, {behind}){only}", self.time));
            let [count] = integers(reader, &dialect.select(&[(Kind::Integer, "COUNT(*)")], &neighbours))?;
            if count == 0 {
                return refused(format!("at fewer times than the multiples of {unit_key}, {unit_ms} ms"), unit_key);
            }
        }
        Ok(())
    }
}

/// The whole numbers of an answer of one row.
fn integers<const N: usize>(reader: &Reader, statement: &Statement) -> Result<[i64; N], Problem> {
    let mut integers = [0; N];
    reader.read(statement, |row| {
        integers.iter_mut().zip(row).for_each(|(integer, value)| *integer = value.integer());
        Ok(())
    })?;
    Ok(integers)
}
