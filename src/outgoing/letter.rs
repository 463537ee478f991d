//! Dead letters: a record set aside with all its bytes, and what is wrong with it and where it was.

use std::borrow::Cow;

use hexflow_dataflows::decode::DeadLetter;
use hexflow_dataflows::rows::partition_of_stream;

use super::messages::{Address, Header, Messages};

/// What follows a topic's name in that of its dead letters.
pub const SUFFIX: &str = ".dlq";

/// The headers that a dead letter has beyond its record's, in this order behind them.
pub const ADDED: [&str; 4] = ["error", "topic", "partition", "offset"];

/// Appends a letter; `prefix` stands before topics' names on the brokers.
pub fn push(messages: &mut Messages, letter: &DeadLetter, prefix: &str) {
    let (topic, partition) = partition_of_stream(letter.stream);
    let topic = format!("{prefix}{}", topic.name());
    let added = [letter.error.clone(), topic.clone(), partition.to_string(), letter.offset.to_string()];
    let original = letter.headers.iter().map(|(name, value)| (&**name, value.as_deref()));
    let headers = original.chain(ADDED.into_iter().zip(added.iter().map(|value| Some(value.as_bytes()))));
    let to = Address { topic: &format!("{topic}{SUFFIX}"), partition: None, ts: letter.ts };
    messages.push(to, letter.key.as_deref(), headers, |bytes| {
        bytes.extend_from_slice(letter.payload.as_deref().unwrap_or_default());
        letter.payload.is_some()
    });
}

/// A dead letter that was read again: the record that it was, and why it was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter<'a> {
    /// The record's headers.
    pub headers: Vec<Header<'a>>,
    /// What was wrong with it.
    pub error: Cow<'a, str>,
    /// The partition that it was in, if the letter says.
    pub partition: Option<u32>,
    /// The offset that it had, if the letter says.
    pub offset: Option<u64>,
}

impl<'a> Letter<'a> {
    /// Takes what was added off a letter's headers: of each name the last, since a record may have one of its own.
    pub fn of(mut headers: Vec<Header<'a>>) -> Self {
        let [error, _, partition, offset] = ADDED.map(|name| {
            let at = headers.iter().rposition(|header| header.0 == name)?;
            headers.remove(at).1
        });
        let text = |value: Option<&'a [u8]>| String::from_utf8_lossy(value.unwrap_or_default());
        let (partition, offset) = (text(partition).parse().ok(), text(offset).parse().ok());
        Letter { headers, error: text(error), partition, offset }
    }
}

#[cfg(test)]
mod tests {
    use hexflow_dataflows::messages::topic::Topic;
    use hexflow_dataflows::rows::stream_of;

    use super::*;

    #[test]
    fn a_letter_gives_back_its_record() {
        let headers = [("error", Some(&b"its own"[..])), ("bin", Some(b"\xff")), ("none", None), ("offset", None)];
        for (key, payload) in [(Some(vec![0xfe]), Some(vec![0xff, 0])), (None, None), (Some(vec![]), Some(vec![]))] {
            let letter = DeadLetter {
                stream: stream_of(Topic::CitylensFrames, 3),
                offset: 17,
                ts: 5,
                headers: headers.map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec))).to_vec(),
                key: key.clone(),
                payload: payload.clone(),
                error: "no \u{1f6a2}".to_owned(),
            };
            let mut messages = Messages::default();
            push(&mut messages, &letter, "t-");
            let message = messages.iter().next().unwrap();
            assert_eq!((message.key(), message.payload()), (key.as_deref(), payload.as_deref()));
            assert_eq!(message.to().topic, "t-axion.sense.citylens.frame.lifecycle.dlq");
            let expected = Letter {
                headers: headers.to_vec(),
                error: "no \u{1f6a2}".into(),
                partition: Some(3),
                offset: Some(17),
            };
            assert_eq!(Letter::of(message.headers().collect()), expected);
        }
    }
}
