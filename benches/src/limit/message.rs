//! What the limit reads: lines as kcat writes them, payloads borrowed from a buffer, times.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Bytes that are read at once.
const READ_BYTES: usize = 1 << 18;

/// Bytes that are copied at once where a run between escapes is no longer.
const RUN: usize = 16;

/// `citylens-track`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Track<'a> {
    pub(crate) track_id: &'a str,
    pub(crate) status: &'a str,
    pub(crate) device_id: Option<&'a str>,
    pub(crate) started_at: &'a str,
    pub(crate) ended_at: Option<&'a str>,
    pub(crate) distance_meters: Option<f64>,
    pub(crate) updated_at: &'a str,
}

/// `citylens-frame`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Frame<'a> {
    pub(crate) frame_id: &'a str,
    pub(crate) track_id: &'a str,
    pub(crate) sequence: u32,
    pub(crate) captured_at: &'a str,
    pub(crate) location: Location,
    pub(crate) heading: Option<f64>,
    pub(crate) speed: Option<f64>,
    pub(crate) image_url: Option<&'a str>,
    #[serde(borrow)]
    pub(crate) gps: Option<&'a RawValue>,
    pub(crate) updated_at: &'a str,
}

/// `citylens-detection`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Detection<'a> {
    pub(crate) detection_id: &'a str,
    pub(crate) frame_id: &'a str,
    pub(crate) track_id: &'a str,
    pub(crate) detector: &'a str,
    pub(crate) class_name: &'a str,
    pub(crate) confidence: f64,
    pub(crate) bbox: BoundingBox,
    pub(crate) location: Location,
    pub(crate) detected_at: &'a str,
    pub(crate) updated_at: &'a str,
}

/// Where something is.
#[derive(Deserialize)]
pub(crate) struct Location {
    pub(crate) lat: f64,
    pub(crate) lon: f64,
    pub(crate) altitude: Option<f64>,
    pub(crate) accuracy: Option<f64>,
}

/// Where something is in an image.
#[derive(Deserialize)]
pub(crate) struct BoundingBox {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A dump of one topic, and its current line.
pub(crate) struct Input {
    file: BufReader<File>,
    begins: String,
    message_type: &'static str,
    line: Vec<u8>,
    /// Where in the line the headers begin.
    headers_at: usize,
    offset: u64,
    /// Time of the current line.
    pub(crate) ts: u64,
}

/// A record of the wanted environment.
pub(crate) struct Record<'a> {
    pub(crate) offset: u64,
    pub(crate) request_id: &'a str,
    pub(crate) org_id: Option<&'a str>,
    pub(crate) payload: &'a str,
}

impl Input {
    /// Opens the dump of a topic that carries one type of message, at its first line.
    pub(crate) fn open(dumps: &Path, topic: &str, message_type: &'static str) -> Result<Self> {
        let path = dumps.join(format!("{topic}.ndjson"));
        let file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut input = Input {
            file: BufReader::with_capacity(READ_BYTES, file),
            begins: format!("{{\"topic\":\"{topic}\",\"partition\":"),
            message_type,
            line: Vec::new(),
            headers_at: 0,
            offset: 0,
            ts: 0,
        };
        input.advance()?;
        Ok(input)
    }

    /// Whether all lines were read.
    pub(crate) fn ended(&self) -> bool {
        self.line.is_empty()
    }

    /// Goes to the next line.
    pub(crate) fn advance(&mut self) -> Result<()> {
        self.line.clear();
        if self.file.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(());
        }
        let head = || {
            let (_partition, rest) = number(self.line.strip_prefix(self.begins.as_bytes())?)?;
            let (offset, rest) = number(rest.strip_prefix(b",\"offset\":")?)?;
            let (ts, rest) = number(rest.strip_prefix(b",\"tstype\":\"create\",\"ts\":")?)?;
            let (_broker, rest) = number(rest.strip_prefix(b",\"broker\":")?)?;
            Some((offset, ts, self.line.len() - rest.strip_prefix(b",\"headers\":[")?.len()))
        };
        let head = head().with_context(|| format!("unknown form: {}", String::from_utf8_lossy(&self.line)))?;
        (self.offset, self.ts, self.headers_at) = head;
        Ok(())
    }

    /// The record in the current line, its payload in `plain`; none if it is of another environment.
    pub(crate) fn record<'a>(&'a self, plain: &'a mut Vec<u8>) -> Result<Option<Record<'a>>> {
        let (mut message_type, mut request_id, mut org_id, mut env) = (None, None, None, None);
        let mut rest = &self.line[self.headers_at..];
        loop {
            let (name, after) = text(rest).context("a header's name")?;
            let (value, after) = after.strip_prefix(b",").and_then(text).context("a header's value")?;
            match name {
                b"message-type" => message_type = Some(value),
                b"request-id" => request_id = Some(std::str::from_utf8(value)?),
                b"org-id" => org_id = Some(std::str::from_utf8(value)?),
                b"env" => env = Some(value),
                _ => {}
            }
            rest = after;
            match rest.strip_prefix(b",") {
                Some(more) => rest = more,
                None => break,
            }
        }
        if env != Some(b"prod") {
            return Ok(None);
        }
        if message_type != Some(self.message_type.as_bytes()) {
            bail!("a message of another type");
        }
        let (_key, rest) = rest.strip_prefix(b"],\"key\":").and_then(text).context("a key")?;
        let payload = rest.strip_prefix(b",\"payload\":\"").and_then(|rest| rest.strip_suffix(b"\"}\n"));
        let bytes = unescape(payload.context("a payload")?, plain).context("an escape")?;
        let (request_id, payload) = (request_id.context("a request")?, std::str::from_utf8(&plain[..bytes])?);
        Ok(Some(Record { offset: self.offset, request_id, org_id, payload }))
    }
}

/// A number and what follows it.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take(19).take_while(|b| b.is_ascii_digit()).count();
    let value = text[..digits].iter().fold(0, |value, b| value * 10 + u64::from(b - b'0'));
    (digits > 0).then(|| (value, &text[digits..]))
}

/// A string without escapes and what follows it.
fn text(from: &[u8]) -> Option<(&[u8], &[u8])> {
    let from = from.strip_prefix(b"\"")?;
    let end = from.iter().position(|&b| b == b'"' || b == b'\\').filter(|&end| from[end] == b'"')?;
    Some((&from[..end], &from[end + 1..]))
}

/// Takes the escapes of quotes and backslashes out; says how many bytes of `plain` are the text then.
fn unescape(escaped: &[u8], plain: &mut Vec<u8>) -> Option<usize> {
    if plain.len() < escaped.len() + RUN {
        plain.resize(escaped.len() + RUN, 0);
    }
    let (mut from, mut length) = (0, 0);
    for at in memchr::memchr_iter(b'\\', escaped) {
        if from > 0 && at == from {
            continue; // a backslash that the one before it escapes
        }
        if !matches!(escaped.get(at + 1)?, b'"' | b'\\') {
            return None;
        }
        copy(&escaped[from..], at - from, &mut plain[length..]);
        (from, length) = (at + 1, length + at - from);
    }
    copy(&escaped[from..], escaped.len() - from, &mut plain[length..]);
    Some(length + escaped.len() - from)
}

/// Copies `count` bytes, and maybe some that the next run overwrites.
fn copy(from: &[u8], count: usize, to: &mut [u8]) {
    match (from.first_chunk::<RUN>(), to.first_chunk_mut::<RUN>()) {
        (Some(from), Some(to)) if count <= RUN => *to = *from,
        _ => to[..count].copy_from_slice(&from[..count]),
    }
}

/// An RFC 3339 time, ns since the epoch: the plain form by hand, any other by the library.
pub(crate) fn instant_ns(text: &str) -> Result<i64> {
    match plain_ns(text.as_bytes()) {
        Some(ns) => Ok(ns),
        None => Ok(i64::try_from(text.parse::<jiff::Timestamp>()?.as_nanosecond())?),
    }
}

/// The time in `2026-01-01T00:00:00Z`, with up to nine decimals.
fn plain_ns(text: &[u8]) -> Option<i64> {
    let (clock, rest) = text.split_first_chunk::<19>()?;
    let digits = |from: &[u8]| {
        from.iter().try_fold(0i64, |value, b| b.is_ascii_digit().then(|| value * 10 + i64::from(b - b'0')))
    };
    let (year, month, day) = (digits(&clock[..4])?, digits(&clock[5..7])?, digits(&clock[8..10])?);
    let (hour, minute, second) = (digits(&clock[11..13])?, digits(&clock[14..16])?, digits(&clock[17..19])?);
    let known = [clock[4], clock[7], clock[10], clock[13], clock[16]] == *b"--T::";
    let usual = (1970..2200).contains(&year) && (1..=12).contains(&month) && (1..=28).contains(&day);
    if !known || !usual || hour > 23 || minute > 59 || second > 59 {
        return None; // also a month's last days, whose number is the library's to know
    }
    let nanos = match rest.strip_suffix(b"Z")? {
        [] => 0,
        [b'.', decimals @ ..] if (1..=9).contains(&decimals.len()) => {
            digits(decimals)? * 10i64.pow(9 - u32::try_from(decimals.len()).ok()?)
        }
        _ => return None,
    };
    // Years that begin in March end with the leap day.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000_000 + nanos)
}
