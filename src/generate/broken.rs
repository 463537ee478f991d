//! Broken records, each kind in its turn: what a careless producer sends.

use hexflow_dataflows::messages::topic::Topic;

use super::envelope::{Envelope, Flaw};

/// How many kinds there are.
const KINDS: u64 = 8;

/// Breaks the record around `payload` in the way of that turn: changes the envelope, or writes another payload over
/// `broken`. `None` is a null payload.
pub(super) fn break_record<'a>(
    turn: u64,
    envelope: &mut Envelope,
    payload: &'a str,
    broken: &'a mut String,
) -> Option<&'a str> {
    broken.clear();
    match turn % KINDS {
        0 => return payload.get(..payload.len() * 3 / 5),
        1 => replace(payload, "trackId", None, broken),
        2 => {
            let (field, value) = wrong_type(envelope.topic);
            replace(payload, field, Some(value), broken);
        }
        3 => {
            let (field, value) = out_of_range(envelope.topic);
            replace(payload, field, Some(value), broken);
        }
        4 => {}
        5 => return None,
        6 => {
            envelope.flaw = Some(Flaw::UnknownType);
            return Some(payload);
        }
        _ => {
            envelope.flaw = Some(Flaw::NoRequestId);
            return Some(payload);
        }
    }
    Some(broken)
}

fn wrong_type(topic: Topic) -> (&'static str, &'static str) {
    match topic {
        Topic::CitylensFrames => ("sequence", "\"seven\""),
        Topic::CitylensDetections => ("confidence", "\"high\""),
        _ => ("startedAt", "1767225600000"),
    }
}

fn out_of_range(topic: Topic) -> (&'static str, &'static str) {
    match topic {
        Topic::CitylensFrames => ("lat", "91.5"),
        Topic::CitylensDetections => ("confidence", "1.5"),
        _ => ("startedAt", "\"2026-02-30T00:00:00Z\""),
    }
}

/// Writes `payload` with another value for its first field of that name, or without the field. For the payloads made
/// here, whose texts hold no quotes and whose last field is never asked for; one without the field becomes empty, which
/// is broken too.
fn replace(payload: &str, field: &str, value: Option<&str>, broken: &mut String) {
    let name = format!("\"{field}\":");
    let Some((before, after)) = payload.split_once(&name) else { return };
    let Some((_, rest)) = after.split_once([',', '}']) else { return };
    broken.push_str(before);
    if let Some(value) = value {
        broken.push_str(&name);
        broken.push_str(value);
        broken.push_str(&after[after.len() - rest.len() - 1..after.len() - rest.len()]);
    }
    broken.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::envelope::Cause;
    use hexflow_dataflows::messages::citylens::Detection;

    const DETECTION: &str = r#"{"detectionId":"d","frameId":"f","trackId":"t","detector":"x","className":"c","confidence":0.5,"bbox":{"x":1,"y":2,"width":3,"height":4},"location":{"lat":1.5,"lon":2.5},"detectedAt":"2026-01-01T00:00:00Z","updatedAt":"2026-01-01T00:00:00Z"}"#;

    #[test]
    fn every_kind_is_broken_in_its_own_way() {
        assert!(serde_json::from_str::<Detection<'_>>(DETECTION).is_ok());
        let whys: Vec<String> = (0..KINDS)
            .map(|turn| {
                let mut envelope = Envelope::new(Topic::CitylensDetections, Cause::Malformed, "org", 1, 2);
                let mut broken = String::new();
                let payload = break_record(turn, &mut envelope, DETECTION, &mut broken);
                match (envelope.flaw, payload) {
                    (Some(flaw), _) => format!("{flaw:?}"),
                    (None, None) => "null".into(),
                    (None, Some(text)) => serde_json::from_str::<Detection<'_>>(text).unwrap_err().to_string(),
                }
            })
            .collect();
        let words =
            ["EOF", "missing field `trackId`", "invalid type", "1.5 is not", "EOF", "null", "UnknownType", "NoReq"];
        assert!(whys.iter().zip(words).all(|(why, word)| why.contains(word)), "{whys:#?}");
    }

    #[test]
    fn a_value_is_replaced_in_its_place() {
        let mut text = String::new();
        replace(r#"{"a":1,"b":"x","c":3}"#, "b", Some("null"), &mut text);
        assert_eq!(text, r#"{"a":1,"b":null,"c":3}"#);
    }
}
