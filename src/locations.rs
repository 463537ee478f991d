//! The static set of locations that cameras stand at: a CSV file, `geographical_location_oid,geographical_location`.
//!
//! Columns may stand in any order, and others beside them. Fields may be quoted, with `""` for a quote, and then hold commas
//! and line ends; lines end with LF or CRLF.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::path::Path;

use hexflow_dataflows::cameras::LocationChange;

/// The columns that are read.
const COLUMNS: [&str; 2] = ["geographical_location_oid", "geographical_location"];

/// Reads the locations of a file; what is wrong is told with file and line.
pub fn read(path: &Path) -> Result<Vec<LocationChange>, String> {
    let shown = path.display();
    let bytes = fs::read(path).map_err(|error| format!("cameras.locations: cannot read {shown}: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let line =
            1 + error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        format!("{shown}:{line}: not UTF-8")
    })?;
    parse(&text).map_err(|(line, problem)| format!("{shown}:{line}: {problem}"))
}

/// What is wrong, and in which line.
type Problem = (usize, String);

fn parse(text: &str) -> Result<Vec<LocationChange>, Problem> {
    let mut records = records(text.strip_prefix('\u{feff}').unwrap_or(text))?.into_iter();
    let (line, header) = records.next().ok_or_else(|| (1, format!("expected a line {}", COLUMNS.join(","))))?;
    let place = |name: &str| header.iter().position(|field| field.trim() == name);
    let [Some(oid_at), Some(name_at)] = COLUMNS.map(place) else {
        return Err((line, format!("expected the columns {}", COLUMNS.join(" and "))));
    };
    let mut locations = BTreeMap::new();
    for (line, fields) in records {
        if fields.len() != header.len() {
            return Err((line, format!("{} fields, where the first line has {}", fields.len(), header.len())));
        }
        let oid: i64 = fields[oid_at]
            .trim()
            .parse()
            .map_err(|_| (line, format!("{}: {:?} is no whole number of 64 bits", COLUMNS[0], fields[oid_at])))?;
        let name = fields[name_at].clone();
        match locations.entry(oid) {
            Entry::Vacant(new) => {
                new.insert(name);
            }
            Entry::Occupied(known) if *known.get() == name => {}
            Entry::Occupied(known) => {
                return Err((line, format!("location {oid} is {name:?} here and {:?} above", known.get())));
            }
        }
    }
    Ok(locations.into_iter().map(|location| (location, 1)).collect())
}

/// The fields of each record, and the line where it begins; empty lines are none.
fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>, Problem> {
    let (mut records, mut fields, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut line, mut first, mut quoted) = (1, 1, None);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        line += usize::from(char == '\n');
        match char {
            '"' if quoted.is_some() && chars.next_if_eq(&'"').is_some() => field.push('"'),
            '"' if quoted.is_some() => quoted = None,
            _ if quoted.is_some() => field.push(char),
            '"' if field.is_empty() => quoted = Some(line),
            ',' => fields.push(std::mem::take(&mut field)),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => {
                fields.push(std::mem::take(&mut field));
                let record = std::mem::take(&mut fields);
                records.extend((record != [""]).then_some((first, record)));
                first = line;
            }
            _ => field.push(char),
        }
    }
    if let Some(line) = quoted {
        return Err((line, "a quote that is not closed".to_owned()));
    }
    fields.push(field);
    records.extend((fields != [""]).then_some((first, fields)));
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_programs_write() {
        let names = |text: &str| -> Vec<(i64, String)> {
            parse(text).unwrap().into_iter().map(|(location, _)| location).collect()
        };
        let expected = [(-1, "a, \"b\"\nc".to_owned()), (7, "gate".to_owned())];
        let plain = "geographical_location_oid,geographical_location\n7,gate\n-1,\"a, \"\"b\"\"\nc\"\n\n7,gate\n";
        assert_eq!(names(plain), expected);
        let other = "\u{feff}x,geographical_location,geographical_location_oid\r\n,gate,7\r\n,\"a, \"\"b\"\"\nc\", -1";
        assert_eq!(names(other), expected);
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let header = "geographical_location_oid,geographical_location\n";
        for (text, line, word) in [
            ("", 1, "geographical_location_oid"),
            ("oid,name\n1,a\n", 1, "columns"),
            (&format!("{header}1,a\nx,b\n"), 3, "\"x\""),
            (&format!("{header}\n1,a,b\n"), 3, "3 fields"),
            (&format!("{header}1,a\n2,\"b\n3,c\n"), 3, "quote"),
            (&format!("{header}1,\"a\nb\"\n1,c\n"), 4, "above"),
            (&format!("{header}99999999999999999999,a\n"), 2, "64 bits"),
        ] {
            let (at, problem) = parse(text).unwrap_err();
            assert!(at == line && problem.contains(word), "{text:?}: {at}: {problem}");
        }
    }
}
