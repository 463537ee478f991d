//! Reads the envelopes that kcat writes, in its order of fields, without a JSON parser.
//!
//! A dump's payload is JSON within JSON: half of reading an envelope is taking the backslashes out. Here the runs between
//! them are copied. Whatever is not plain (other fields, other escapes, broken lines) is left to the parser.

use std::borrow::Cow;

use super::envelope::{Head, plain_head};

/// What is reused from line to line.
#[derive(Default)]
pub struct Plain<'a> {
    /// The headers of the line read last.
    pub headers: Vec<(Cow<'a, str>, Option<Cow<'a, str>>)>,
    payload: Vec<u8>,
    length: usize,
}

/// A line that was read.
pub struct Line<'a> {
    /// Topic, partition, offset and time.
    pub head: Head,
    /// Topic name.
    pub topic: &'a str,
    /// The record's key.
    pub key: Option<&'a str>,
    /// Whether there is a payload: [`Plain::payload`].
    pub has_payload: bool,
}

impl<'a> Plain<'a> {
    /// Reads a line; `None` if it is not plain.
    pub fn read(&mut self, line: &'a str) -> Option<Line<'a>> {
        let (head, topic, rest) = plain_head(line)?;
        let rest = rest.strip_prefix(",\"broker\":")?;
        let rest = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let rest = self.headers(rest)?;
        let (key, rest) = text_or_null(rest.strip_prefix(",\"key\":")?)?;
        let rest = rest.strip_prefix(",\"payload\":")?;
        if rest == "null}" {
            return Some(Line { head, topic, key, has_payload: false });
        }
        let escaped = rest.strip_prefix('"')?.strip_suffix("\"}")?;
        self.length = unescape(escaped.as_bytes(), &mut self.payload)?;
        Some(Line { head, topic, key, has_payload: true })
    }

    /// The payload of the line read last.
    pub fn payload(&self) -> Option<&str> {
        std::str::from_utf8(&self.payload[..self.length]).ok()
    }

    fn headers(&mut self, rest: &'a str) -> Option<&'a str> {
        self.headers.clear();
        let Some(mut rest) = rest.strip_prefix(",\"headers\":[") else { return Some(rest) };
        loop {
            let (name, after) = text_or_null(rest)?;
            let (value, after) = text_or_null(after.strip_prefix(',')?)?;
            self.headers.push((Cow::Borrowed(name?), value.map(Cow::Borrowed)));
            match after.strip_prefix(',') {
                Some(more) => rest = more,
                None => return after.strip_prefix(']'),
            }
        }
    }
}

/// A string without escapes, or null, and what follows it.
fn text_or_null(rest: &str) -> Option<(Option<&str>, &str)> {
    let Some(text) = rest.strip_prefix('"') else { return Some((None, rest.strip_prefix("null")?)) };
    let end = text.bytes().position(|b| b == b'"' || b == b'\\' || b < 0x20)?;
    let after = text[end..].strip_prefix('"')?;
    Some((Some(&text[..end]), after))
}

/// Bytes that are copied at once: most runs between escapes are shorter.
const RUN: usize = 16;

/// Takes the escapes out of a string's inside; returns the length of what is in `plain` then. `None` if it holds any escapes
/// but `\"`, `\\` and `\/`, or is no string's inside.
fn unescape(escaped: &[u8], plain: &mut Vec<u8>) -> Option<usize> {
    if plain.len() < escaped.len() + RUN {
        plain.resize(escaped.len() + RUN, 0);
    }
    let controls = escaped.iter().fold(false, |some, &b| some | (b < 0x20));
    let quotes = escaped.iter().map(|&b| usize::from(b == b'"')).sum::<usize>();
    // `from` is where the run to copy begins: behind a backslash, at the character that it escapes.
    let (mut from, mut length, mut escaped_quotes, mut escaped_at) = (0, 0, 0, usize::MAX);
    for at in memchr::memchr_iter(b'\\', escaped) {
        if at == escaped_at {
            continue; // a backslash that the one before it escapes
        }
        match escaped.get(at + 1)? {
            b'"' => escaped_quotes += 1,
            b'\\' | b'/' => {}
            _ => return None,
        }
        length += copy_run(&escaped[from..], at - from, &mut plain[length..]);
        (from, escaped_at) = (at + 1, at + 1);
    }
    length += copy_run(&escaped[from..], escaped.len() - from, &mut plain[length..]);
    (!controls && quotes == escaped_quotes).then_some(length)
}

/// Copies the first `count` bytes of `from`, and what may be behind them, which the next run overwrites.
fn copy_run(from: &[u8], count: usize, to: &mut [u8]) -> usize {
    match (from.first_chunk::<RUN>(), to.first_chunk_mut::<RUN>()) {
        (Some(from), Some(to)) if count <= RUN => *to = *from,
        _ => to[..count].copy_from_slice(&from[..count]),
    }
    count
}

#[cfg(test)]
mod tests {
    use super::super::envelope::whole;
    use super::*;

    /// Where the plain reader answers, it says what the parser says.
    #[test]
    fn plain_lines_agree_with_the_parser() {
        let head = r#"{"topic":"t","partition":1,"offset":2,"tstype":"create","ts":3,"broker":1"#;
        let headers = ["", r#","headers":["a","b","c",null]"#, r#","headers":["a\"","b"]"#, r#","headers":["a"]"#];
        let keys = [r#","key":"k""#, r#","key":null"#, r#","key":"\u0041""#, ""];
        let payloads = [
            r#","payload":null}"#,
            r#","payload":""}"#,
            r#","payload":"{\"a\":\"\\\"b\\\\\",\"é\":1}"}"#,
            r#","payload":"\\\\\\\"\/ and more than sixteen bytes \\"}"#,
            r#","payload":"\u0041\n"}"#,
            r#","payload":"a"b"}"#,
            r#","payload":"a\"}"#,
            r#","payload":"a","more":"b"}"#,
            r#","payload":"a"#,
            "",
        ];
        let mut plainly = 0;
        for line in headers.iter().flat_map(|h| keys.map(|k| payloads.map(|p| format!("{head}{h}{k}{p}")))).flatten() {
            let mut plain = Plain::default();
            let Some(read) = plain.read(&line) else { continue };
            plainly += 1;
            let parsed = whole(line.as_bytes()).expect("an envelope");
            assert_eq!((read.topic, read.head.offset, read.head.ts), ("t", parsed.offset, parsed.ts), "{line}");
            assert_eq!(read.key, parsed.key.as_ref().map(|key| &*key.0), "{line}");
            assert_eq!(plain.headers, parsed.headers.0, "{line}");
            let payload = read.has_payload.then(|| plain.payload().unwrap());
            assert_eq!(payload, parsed.payload.as_ref().map(|text| &*text.0), "{line}");
        }
        assert_eq!(plainly, 2 * 2 * 4);
    }
}
