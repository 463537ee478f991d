//! Names and texts as they stand in a statement.

use std::fmt::Write;

/// Between the texts of a set.
const SEPARATOR: char = '\u{1}';

/// A name of a database, table or column, in backticks.
pub fn name(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

/// A text in quotes.
pub fn text(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    push_escaped(&mut quoted, text);
    quoted.push('\'');
    quoted
}

/// The set of some texts, to stand after `IN`.
///
/// As one long text that the server splits: parsing takes a tenth of the time that as many literals take (50,000 keys:
/// 0.13 s and 1.4 s). It must be a subquery: against an array, `IN` looks through all of it for each row. Texts that hold
/// the separator themselves are listed one by one.
pub fn set<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let (mut joined, mut odd) = (String::new(), String::new());
    for text in texts {
        if text.contains(SEPARATOR) {
            let _ = write!(odd, ",{}", self::text(text));
        } else {
            joined.push(SEPARATOR);
            push_escaped(&mut joined, text);
        }
    }
    // What comes before the first separator is one empty text too many; no key is empty.
    let split = format!("splitByChar('\\x01', '{}')", joined.replace(SEPARATOR, "\\x01"));
    let array = if odd.is_empty() { split } else { format!("arrayConcat({split}, [{}])", &odd[1..]) };
    format!("(SELECT arrayJoin({array}))")
}

fn push_escaped(to: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\'' | '\\' => to.extend(['\\', c]),
            '\0' => to.push_str("\\0"),
            c => to.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_do_not_end_what_they_are_in() {
        assert_eq!(text("it's \\ ?\0"), r"'it\'s \\ ?\0'");
        assert_eq!(name("a`b\\c"), r"`a\`b\\c`");
    }

    #[test]
    fn a_set_is_one_text() {
        assert_eq!(set(["a", "b'"]), r"(SELECT arrayJoin(splitByChar('\x01', '\x01a\x01b\'')))");
        assert_eq!(set(["a", "b\u{1}"]), "(SELECT arrayJoin(arrayConcat(splitByChar('\\x01', '\\x01a'), ['b\u{1}'])))");
    }
}
