//! Locations in a CSV file, as RFC 4180 has it: columns in any order, and others beside them; lines end with LF or CRLF.

use std::fs;
use std::path::Path;

use csv::{Reader, ReaderBuilder, StringRecord};

use super::{COLUMNS, Locations};

/// Reads the locations of a file; what is wrong is told with file and line.
pub fn read(path: &Path) -> Result<Locations, String> {
    let shown = path.display();
    let bytes = fs::read(path).map_err(|error| format!("{shown}: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        format!("{shown}:{}: not UTF-8", line_of(error.as_bytes(), valid))
    })?;
    parse(&text).map_err(|(line, problem)| format!("{shown}:{line}: {problem}"))
}

/// What is wrong, and in which line.
type Problem = (usize, String);

fn parse(text: &str) -> Result<Locations, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let (mut columns, mut record, mut locations) = (None, StringRecord::new(), Locations::default());
    loop {
        let start = offset(&reader);
        let at = |problem: String| (line_of_record(text.as_bytes(), start), problem);
        if !reader.read_record(&mut record).map_err(|error| at(error.to_string()))? {
            break;
        }
        // The crate takes the end of the file for the end of a quoted field: half of a file would pass for all of it.
        let quotes = text.as_bytes()[start..offset(&reader)].iter().filter(|byte| **byte == b'"').count();
        if quotes % 2 == 1 {
            return Err(at("a quote that is not closed, or that stands in a field without quotes".to_owned()));
        }
        match &columns {
            None => columns = Some(Columns::of(&record).map_err(at)?),
            Some(columns) => columns.add(&record, &mut locations).map_err(at)?,
        }
    }
    columns.map(|_| locations).ok_or_else(|| (1, format!("expected a line {}", COLUMNS.join(","))))
}

/// Where the columns stand.
struct Columns {
    oid: usize,
    name: usize,
    count: usize,
}

impl Columns {
    fn of(header: &StringRecord) -> Result<Columns, String> {
        let place = |name: &str| header.iter().position(|field| field.trim() == name);
        match COLUMNS.map(place) {
            [Some(oid), Some(name)] => Ok(Columns { oid, name, count: header.len() }),
            _ => Err(format!("expected the columns {}", COLUMNS.join(" and "))),
        }
    }

    fn add(&self, record: &StringRecord, locations: &mut Locations) -> Result<(), String> {
        let (Some(oid), Some(name), true) = (record.get(self.oid), record.get(self.name), record.len() == self.count)
        else {
            return Err(format!("{} fields, where the first line has {}", record.len(), self.count));
        };
        let number =
            oid.trim().parse().map_err(|_| format!("{}: {oid:?} is no whole number of 64 bits", COLUMNS[0]))?;
        locations.add(number, name.to_owned())
    }
}

/// How far the reader has come, bytes.
fn offset(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.position().byte()).unwrap_or(usize::MAX)
}

/// The line in which the record begins that is read from `start` on: line ends before it are not part of it.
fn line_of_record(text: &[u8], start: usize) -> usize {
    let ends = text[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    line_of(text, start + ends)
}

fn line_of(text: &[u8], at: usize) -> usize {
    1 + text[..at].iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::super::set::tests::set;
    use super::*;

    #[test]
    fn reads_what_programs_write() {
        let expected = Ok(set(&[(-1, "a, \"b\"\nc"), (7, "gate")]));
        let plain = "geographical_location_oid,geographical_location\n7,gate\n-1,\"a, \"\"b\"\"\nc\"\n\n7,gate\n";
        assert_eq!(parse(plain), expected);
        let other = "\u{feff}x,geographical_location,geographical_location_oid\r\n,gate,7\r\n,\"a, \"\"b\"\"\nc\", -1";
        assert_eq!(parse(other), expected);
        assert_eq!(parse("geographical_location_oid,geographical_location"), Ok(set(&[])));
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let header = "geographical_location_oid,geographical_location\n";
        for (text, line, word) in [
            ("", 1, "geographical_location_oid"),
            ("\n\r\n", 1, "geographical_location_oid"),
            ("oid,name\n1,a\n", 1, "columns"),
            (&format!("{header}1,a\nx,b\n"), 3, "\"x\""),
            (&format!("{header}1,a\r\nx,b\r\n"), 3, "\"x\""),
            (&format!("{header}\n1,a,b\n"), 3, "3 fields"),
            (&format!("{header}1,a\n2"), 3, "1 fields"),
            (&format!("{header}1,a\n2,\"b\n3,c\n"), 3, "quote"),
            (&format!("{header}1,a\n2,b\"c\n"), 3, "quote"),
            (&format!("{header}1,\"a\nb\"\n1,c\n"), 4, "above"),
            (&format!("{header}99999999999999999999,a\n"), 2, "64 bits"),
        ] {
            let (at, problem) = parse(text).unwrap_err();
            assert!(at == line && problem.contains(word), "{text:?}: {at}: {problem}");
        }
    }
}
