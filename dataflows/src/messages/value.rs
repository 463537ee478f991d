//! The kinds of values that messages are made of, each checked as it is read.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Deserialize as DeserializeDerive, Serialize};

/// The longest id, in bytes.
pub const MAX_ID_BYTES: usize = 256;

/// A text borrowed from the message where it holds no escapes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text<'a>(pub Cow<'a, str>);

/// An id: a text of 1 to [`MAX_ID_BYTES`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Id<'a>(pub Cow<'a, str>);

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Text(Cow::Borrowed(text))
    }
}

impl<'a> Id<'a> {
    /// The id, if it is as long as ids are.
    pub fn new(id: &'a str) -> Option<Self> {
        (1..=MAX_ID_BYTES).contains(&id.len()).then_some(Id(Cow::Borrowed(id)))
    }
}

impl<'a> From<&'a str> for Id<'a> {
    fn from(id: &'a str) -> Self {
        Id(Cow::Borrowed(id))
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor).map(Text)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Id<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_str(TextVisitor)?;
        match text.len() {
            1..=MAX_ID_BYTES => Ok(Id(text)),
            0 => Err(D::Error::custom("an id must not be empty")),
            bytes => Err(D::Error::custom(format_args!("an id of {bytes} bytes is longer than {MAX_ID_BYTES}"))),
        }
    }
}

/// A number type whose reading checks that it is finite and in a range.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $what:literal, $in_range:expr, $range:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl $name {
            /// The value, if it is in range.
            pub fn new(value: f64) -> Option<Self> {
                (value.is_finite() && ($in_range)(value)).then_some($name(value))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = f64::deserialize(deserializer)?;
                let error = || D::Error::custom(format_args!("{} of {value} is not {}", $what, $range));
                $name::new(value).ok_or_else(error)
            }
        }
    };
}

number!(/** Degrees north, WGS 84. */ Latitude, "a latitude", |v: f64| (-90.0..=90.0).contains(&v), "within -90..90 degrees");
number!(/** Degrees east, WGS 84. */ Longitude, "a longitude", |v: f64| (-180.0..=180.0).contains(&v), "within -180..180 degrees");
number!(/** Degrees clockwise from north. */ Heading, "a heading", |v: f64| (0.0..360.0).contains(&v), "within [0, 360) degrees");
number!(/** A share, 0 to 1. */ Fraction, "a confidence", |v: f64| (0.0..=1.0).contains(&v), "within 0..1");
number!(/** Any finite number; its field says the unit. */ Finite, "a number", |_| true, "finite");

/// A position on the ground.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, DeserializeDerive)]
pub struct LatLon {
    /// Degrees north.
    pub lat: Latitude,
    /// Degrees east.
    pub lon: Longitude,
}

/// A position with what the receiver knew about it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, DeserializeDerive)]
pub struct Location {
    /// Degrees north.
    pub lat: Latitude,
    /// Degrees east.
    pub lon: Longitude,
    /// Metres above the ellipsoid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub altitude: Option<Finite>,
    /// Radius of confidence, m.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<Finite>,
}

/// A box in an image, px.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, DeserializeDerive)]
pub struct BoundingBox {
    /// From the left.
    pub x: Finite,
    /// From the top.
    pub y: Finite,
    /// Extent to the right.
    pub width: Finite,
    /// Extent downwards.
    pub height: Finite,
}

/// Where a track is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TrackStatus {
    /// Announced.
    Started,
    /// Sending frames.
    Recording,
    /// Complete.
    Finished,
}

impl TrackStatus {
    /// All of them.
    const ALL: [TrackStatus; 3] = [TrackStatus::Started, TrackStatus::Recording, TrackStatus::Finished];

    /// The status that messages write so.
    pub fn named(name: &str) -> Option<Self> {
        TrackStatus::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// As messages and tables write it.
    pub fn as_str(self) -> &'static str {
        match self {
            TrackStatus::Started => "started",
            TrackStatus::Recording => "recording",
            TrackStatus::Finished => "finished",
        }
    }
}

impl<'de> Deserialize<'de> for TrackStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_str(TextVisitor)?;
        TrackStatus::named(&text)
            .ok_or_else(|| D::Error::custom(format_args!("{text:?} is not one of started, recording, finished")))
    }
}
