//! Rules: over which figure and whose, when an alert fires and when it is over.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::figure::{Figure, Part};
use super::key::Key;

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Names it.
    pub name: Arc<str>,
    /// What is looked at.
    pub figure: Figure,
    /// Of which sensor or location.
    pub place: Pick<i64>,
    /// Of which type of travellers, or item.
    pub kind: Pick<Arc<str>>,
    /// When it is wrong.
    pub condition: Condition,
    /// How long it must have been wrong, ms of event time.
    pub for_ms: i64,
    /// From one firing of a key to its next at least, ms of event time.
    pub repeat_ms: i64,
}

/// Of which one of a part of a key a rule is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pick<T> {
    /// Of all together.
    #[default]
    Together,
    /// Of each by itself.
    Each,
    /// Of one.
    One(T),
}

/// When something is wrong with a window, and when it is right again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// Above the first; over at the second or below, which is not above the first.
    Above(f64, f64),
    /// Below the first; over at the second or above, which is not below the first.
    Below(f64, f64),
    /// Nothing was there to be measured.
    Absent,
}

/// What a condition says of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is wrong.
    Wrong,
    /// Neither wrong nor right: what fires goes on, what does not fire does not begin to.
    Between,
    /// It is right.
    Right,
}

impl Rule {
    /// The key that a place and a kind belong to, if the rule is of them.
    pub fn key(&self, place: i64, kind: &Arc<str>) -> Option<Key> {
        Some(Key { place: self.place.of(&place)?, kind: self.kind.of(kind)? })
    }

    /// The one key that there is whether anything comes of it or not; none of a rule that is of each.
    pub fn sole_key(&self) -> Option<Key> {
        Some(Key { place: self.place.sole()?, kind: self.kind.sole()? })
    }

    /// Whether a key is one of the rule's.
    pub fn is_of(&self, key: &Key) -> bool {
        self.place.is_of(key.place.as_ref()) && self.kind.is_of(key.kind.as_ref())
    }

    /// Judges a window by the rows in it, which may be none; with the value that it has, if any.
    pub fn judge(&self, parts: &[Part]) -> (Verdict, Option<f64>) {
        let value = self.figure.value(parts);
        let verdict = match (self.condition, value) {
            (Condition::Absent, _) if parts.is_empty() => Verdict::Wrong,
            (Condition::Above(threshold, _), Some(value)) if value > threshold => Verdict::Wrong,
            (Condition::Above(_, resolve), Some(value)) if value > resolve => Verdict::Between,
            (Condition::Below(threshold, _), Some(value)) if value < threshold => Verdict::Wrong,
            (Condition::Below(_, resolve), Some(value)) if value < resolve => Verdict::Between,
            _ => Verdict::Right,
        };
        (verdict, value)
    }
}

impl Condition {
    /// What is crossed; none where nothing is measured.
    pub fn threshold(self) -> Option<f64> {
        match self {
            Condition::Above(threshold, _) | Condition::Below(threshold, _) => Some(threshold),
            Condition::Absent => None,
        }
    }
}

impl<T: Clone + PartialEq> Pick<T> {
    /// What a key has of it for `one`, if it is picked.
    fn of(&self, one: &T) -> Option<Option<T>> {
        match self {
            Pick::Together => Some(None),
            Pick::Each => Some(Some(one.clone())),
            Pick::One(picked) => (picked == one).then(|| Some(one.clone())),
        }
    }

    /// Whether a key may have that of it.
    fn is_of(&self, part: Option<&T>) -> bool {
        match self {
            Pick::Together => part.is_none(),
            Pick::Each => part.is_some(),
            Pick::One(picked) => part == Some(picked),
        }
    }

    fn sole(&self) -> Option<Option<T>> {
        match self {
            Pick::Together => Some(None),
            Pick::Each => None,
            Pick::One(picked) => Some(Some(picked.clone())),
        }
    }
}

/// As it is written in a configuration; of all together it is the empty text.
impl<T: FromStr> FromStr for Pick<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        match text {
            "" => Ok(Pick::Together),
            "*" => Ok(Pick::Each),
            one => one.parse().map(Pick::One),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Pick<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pick::Together => Ok(()),
            Pick::Each => f.write_str("*"),
            Pick::One(one) => one.fmt(f),
        }
    }
}
