//! The envelope of a dump's line: its head, enough to order and deal it, and the whole.

use std::borrow::Cow;
use std::fmt;

use hexflow_dataflows::messages::lanes::plain_length;
use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::messages::value::Text;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

/// The largest partition number that rows can carry.
const MAX_PARTITION: u32 = (1 << 24) - 1;

/// What orders a line and deals it to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The topic, if it is one of hexflow's.
    pub topic: Option<Topic>,
    /// Partition number.
    pub partition: u32,
    /// Offset in the partition.
    pub offset: u64,
    /// The record's time in its topic, ms since the epoch.
    pub ts: i64,
}

/// A whole line.
#[derive(Debug, Deserialize)]
pub struct Envelope<'a> {
    /// Topic name.
    #[serde(borrow)]
    pub topic: Text<'a>,
    /// Partition number.
    pub partition: u32,
    /// Offset in the partition.
    pub offset: u64,
    /// The record's time in its topic, ms since the epoch.
    pub ts: i64,
    /// Names and values.
    #[serde(default, borrow)]
    pub headers: Pairs<'a>,
    /// The record's key.
    #[serde(default)]
    pub key: Option<Text<'a>>,
    /// The record's value.
    #[serde(default)]
    pub payload: Option<Text<'a>>,
}

/// Headers, which kcat writes as one flat list; absent or null when there are none.
#[derive(Debug, Default)]
pub struct Pairs<'a>(pub Vec<(Cow<'a, str>, Option<Cow<'a, str>>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Flat;
        impl<'de> Visitor<'de> for Flat {
            type Value = Pairs<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a flat list of header names and values")
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Pairs::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::with_capacity(5);
                while let Some(Text(name)) = list.next_element()? {
                    let value: Option<Option<Text<'de>>> = list.next_element()?;
                    let value = value.ok_or_else(|| serde::de::Error::custom("a header name without a value"))?;
                    pairs.push((name, value.map(|text| text.0)));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_any(Flat)
    }
}

/// Reads a line's head, and says where what follows `ts` begins; the error says why it is no envelope.
///
/// kcat's order of fields is read without a JSON parser, which only sees lines that begin otherwise; of these all may follow
/// (0). So a line may have a head and turn out to be no envelope later.
pub fn head(line: &[u8]) -> Result<(Head, usize), String> {
    if let Some(read) = plain_head(line) {
        return Ok(read);
    }
    let Envelope { topic, partition, offset, ts, .. } = whole(line)?;
    Ok((Head { topic: Topic::named(&topic.0), partition, offset, ts }, 0))
}

/// Reads a whole line; the error says why it is no envelope.
pub fn whole(line: &[u8]) -> Result<Envelope<'_>, String> {
    let text = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if envelope.partition > MAX_PARTITION {
        return Err(format!("partition {} is above {MAX_PARTITION}", envelope.partition));
    }
    Ok(envelope)
}

/// Reads the head of a line in kcat's order of fields; yields where what follows `ts` begins, too.
fn plain_head(line: &[u8]) -> Option<(Head, usize)> {
    let rest = line.strip_prefix(b"{\"topic\":\"")?;
    let (name, rest) = rest.split_at(plain_length(rest));
    let (partition, rest) = number(rest.strip_prefix(b"\",\"partition\":")?)?;
    let (offset, rest) = number(rest.strip_prefix(b",\"offset\":")?)?;
    let rest = rest.strip_prefix(b",\"tstype\":\"")?;
    let rest = rest[plain_length(rest)..].strip_prefix(b"\",\"ts\":")?;
    let (ts, rest) = number(rest)?;
    rest.starts_with(b",").then_some(())?;
    let partition = u32::try_from(partition).ok().filter(|&partition| partition <= MAX_PARTITION)?;
    let topic = std::str::from_utf8(name).ok()?;
    let head = Head { topic: Topic::named(topic), partition, offset, ts: i64::try_from(ts).ok()? };
    Some((head, line.len() - rest.len()))
}

/// A number of at most 18 digits and what follows it.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let (mut value, mut count) = (0, 0);
    while let Some(digit) = text.get(count).map(|b| b.wrapping_sub(b'0')).filter(|&digit| digit < 10 && count < 19) {
        value = value * 10 + u64::from(digit);
        count += 1;
    }
    let plain = (1..=18).contains(&count) && (count == 1 || text[0] != b'0');
    plain.then(|| (value, &text[count..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"topic":"axion.sense.citylens.detections","partition":16,"offset":7,"tstype":"create","ts":1641168000000,"broker":1,"headers":["env","prod","empty",null],"key":null,"payload":"{\"a\":1}"}"#;

    #[test]
    fn a_plain_head_is_what_the_parser_reads() {
        let (head, rest) = plain_head(LINE.as_bytes()).unwrap();
        assert!(LINE[rest..].starts_with(",\"broker\":1"));
        let expected = Head { topic: Some(Topic::CitylensDetections), partition: 16, offset: 7, ts: 1_641_168_000_000 };
        assert_eq!(head, expected);
        let reordered = r#"{"ts":1641168000000,"offset":7,"partition":16,"topic":"axion.sense.citylens.detections"}"#;
        assert_eq!(plain_head(reordered.as_bytes()), None);
        assert_eq!(super::head(reordered.as_bytes()), Ok((expected, 0)));
    }

    #[test]
    fn a_whole_line_has_headers_key_and_payload() {
        let envelope = whole(LINE.as_bytes()).unwrap();
        assert_eq!(envelope.headers.0, [("env".into(), Some("prod".into())), ("empty".into(), None)]);
        assert!(envelope.key.is_none());
        assert_eq!(envelope.payload.unwrap().0, "{\"a\":1}");
        assert!(
            whole(br#"{"topic":"t","partition":1,"offset":1,"ts":1,"headers":null}"#).unwrap().headers.0.is_empty()
        );
    }

    #[test]
    fn what_is_no_envelope_is_said() {
        for (line, why) in [
            ("", "EOF"),
            ("% Reached end of topic", "expected value"),
            ("{}", "missing field `topic`"),
            (r#"{"topic":"t","partition":16777216,"offset":1,"ts":1}"#, "partition 16777216 is above"),
            (r#"{"topic":"t","partition":1,"offset":-1,"ts":1}"#, "invalid value"),
            (r#"{"topic":"t","partition":1,"offset":1,"ts":1,"headers":["env"]}"#, "without a value"),
        ] {
            let error = head(line.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{line}: {error}");
        }
    }
}
