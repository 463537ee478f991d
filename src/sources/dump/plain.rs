//! Reads the envelopes that kcat writes, in its order of fields, without a JSON parser.
//!
//! What is found is borrowed from the line, the payload with its escapes: whoever reads it sees whether it is a string's
//! inside. Whatever is not plain (other fields, escapes elsewhere, broken lines) is left to the parser.

use hexflow_dataflows::messages::lanes::plain_length;
use hexflow_dataflows::record::Payload;

/// What follows a line's head.
#[derive(Debug, PartialEq, Eq)]
pub struct Tail<'a> {
    /// The record's key.
    pub key: Option<&'a str>,
    /// The payload as it stands between its quotes.
    pub payload: Option<&'a str>,
}

impl<'a> Tail<'a> {
    /// Reads what follows `ts`, and the headers into `headers`; `None` if it is not plain.
    pub fn read(rest: &'a str, headers: &mut Vec<(&'a str, Option<&'a str>)>) -> Option<Self> {
        let rest = rest.strip_prefix(",\"broker\":")?;
        let rest = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let rest = read_headers(rest, headers)?;
        let (key, rest) = text_or_null(rest.strip_prefix(",\"key\":")?)?;
        let rest = rest.strip_prefix(",\"payload\":")?;
        if rest == "null}" {
            return Some(Tail { key, payload: None });
        }
        Some(Tail { key, payload: Some(rest.strip_prefix('"')?.strip_suffix("\"}")?) })
    }

    /// The payload, as a record has it.
    pub fn payload(&self) -> Option<Payload<'a>> {
        self.payload.map(Payload::Escaped)
    }
}

fn read_headers<'a>(rest: &'a str, headers: &mut Vec<(&'a str, Option<&'a str>)>) -> Option<&'a str> {
    headers.clear();
    let Some(mut rest) = rest.strip_prefix(",\"headers\":[") else { return Some(rest) };
    loop {
        let (name, after) = text_or_null(rest)?;
        let (value, after) = text_or_null(after.strip_prefix(',')?)?;
        headers.push((name?, value));
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => return after.strip_prefix(']'),
        }
    }
}

/// A string without escapes, or null, and what follows it.
fn text_or_null(rest: &str) -> Option<(Option<&str>, &str)> {
    let Some(text) = rest.strip_prefix('"') else { return Some((None, rest.strip_prefix("null")?)) };
    let end = plain_length(text.as_bytes());
    Some((Some(&text[..end]), text[end..].strip_prefix('"')?))
}

#[cfg(test)]
mod tests {
    use super::super::envelope::{head, whole};
    use super::*;

    /// Where the plain reader answers, it says what the parser says, if the payload is a string's inside.
    #[test]
    fn plain_lines_agree_with_the_parser() {
        let start = r#"{"topic":"t","partition":1,"offset":2,"tstype":"create","ts":3,"broker":1"#;
        let headers = ["", r#","headers":["a","b","c",null]"#, r#","headers":["a\"","b"]"#, r#","headers":["a"]"#];
        let keys = [r#","key":"k""#, r#","key":null"#, r#","key":"\u0041""#, ""];
        let payloads = [
            r#","payload":null}"#,
            r#","payload":""}"#,
            r#","payload":"{\"a\":\"\\\"b\\\\\",\"é\":1}"}"#,
            r#","payload":"a","more":"b"}"#,
            r#","payload":"a"#,
            "",
        ];
        let mut plainly = 0;
        for line in headers.iter().flat_map(|h| keys.map(|k| payloads.map(|p| format!("{start}{h}{k}{p}")))).flatten() {
            let Ok((_, rest)) = head(line.as_bytes()) else { continue };
            let mut headers = Vec::new();
            let (Some(tail), Ok(parsed)) = (Tail::read(&line[rest..], &mut headers), whole(line.as_bytes())) else {
                continue;
            };
            plainly += 1;
            assert_eq!(tail.key, parsed.key.as_ref().map(|key| &*key.0), "{line}");
            let parsed_headers = parsed.headers.0.iter().map(|(name, value)| (&**name, value.as_deref()));
            assert_eq!(headers, parsed_headers.collect::<Vec<_>>(), "{line}");
            let payload = tail.payload.map(|inside| serde_json::from_str::<String>(&format!("\"{inside}\"")));
            match payload.transpose() {
                Ok(payload) => assert_eq!(payload.as_deref(), parsed.payload.as_ref().map(|text| &*text.0), "{line}"),
                Err(_) => assert!(line.contains("more"), "{line}"),
            }
        }
        assert_eq!(plainly, 2 * 2 * 4);
    }
}
