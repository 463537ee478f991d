//! Whom an alert is of: one sensor or location, one type or item, or all of either together.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::pipelines::Pipeline;

/// A key; what it lacks is all together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Sensor or location.
    pub place: Option<i64>,
    /// Type of travellers, or item.
    #[serde(with = "crate::shared_text::maybe")]
    pub kind: Option<Arc<str>>,
}

/// What stands for a key that lacks both.
const ALL: &str = "all";

impl Key {
    /// What the two parts of a key are called.
    pub fn names(pipeline: Pipeline) -> [&'static str; 2] {
        match pipeline {
            Pipeline::Cameras => ["location", "item"],
            Pipeline::Sensors | Pipeline::Citylens => ["sensor", "type"],
        }
    }

    /// As tables and people have it: `sensor=41 type=car`.
    pub fn text(&self, pipeline: Pipeline) -> String {
        let [place, kind] = Key::names(pipeline);
        match (self.place, &self.kind) {
            (None, None) => ALL.to_owned(),
            (Some(at), None) => format!("{place}={at}"),
            (None, Some(of)) => format!("{kind}={of}"),
            (Some(at), Some(of)) => format!("{place}={at} {kind}={of}"),
        }
    }

    /// The key of a text; none if there is no such key.
    pub fn parse(text: &str, pipeline: Pipeline) -> Option<Key> {
        let [place, kind] = Key::names(pipeline).map(|name| format!("{name}="));
        let one_kind = |text: &str| text.strip_prefix(&kind).map(Arc::from);
        if text == ALL {
            return Some(Key { place: None, kind: None });
        }
        let Some(rest) = text.strip_prefix(&place) else {
            return Some(Key { place: None, kind: Some(one_kind(text)?) });
        };
        // A number holds no blank; a kind may.
        let (at, rest) = rest.split_once(' ').map_or((rest, None), |(at, rest)| (at, Some(rest)));
        let kind = rest.map(|rest| one_kind(rest).ok_or(())).transpose().ok()?;
        Some(Key { place: Some(at.parse().ok()?), kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for place in [None, Some(-7)] {
            for kind in [None, Some("car"), Some("a type=b location=1"), Some("all"), Some("")] {
                let key = Key { place, kind: kind.map(Arc::from) };
                for pipeline in [Pipeline::Sensors, Pipeline::Cameras] {
                    assert_eq!(Key::parse(&key.text(pipeline), pipeline).as_ref(), Some(&key));
                }
            }
        }
        assert_eq!(Key::parse("sensor=x", Pipeline::Sensors), None);
        assert_eq!(Key::parse("sensor=1 item=x", Pipeline::Sensors), None);
    }
}
