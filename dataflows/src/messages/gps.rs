//! A frame's detailed GPS: its points are checked, and it is kept as the text it is, which is what the object store holds.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde::{Deserialize as DeserializeDerive, Serialize as SerializeDerive};
use serde_json::value::RawValue;

use super::object::object;
use super::value::{Finite, Heading, Latitude, Longitude};
use crate::time::Instant;

/// The JSON text of a list of [`GpsPoint`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gps<'a>(pub Cow<'a, str>);

/// One fix.
#[derive(Debug, SerializeDerive, DeserializeDerive)]
pub struct GpsPoint {
    /// When.
    pub at: Instant,
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
    /// m/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<Finite>,
    /// Degrees clockwise from north.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heading: Option<Heading>,
}

#[derive(DeserializeDerive)]
struct Point(
    #[serde(deserialize_with = "object")]
    #[expect(dead_code, reason = "read to be checked")]
    GpsPoint,
);

/// Checks each point without keeping any.
fn check(gps: &str) -> Result<(), serde_json::Error> {
    struct Points;
    impl<'de> Visitor<'de> for Points {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of gps points")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut points: A) -> Result<(), A::Error> {
            while points.next_element::<Point>()?.is_some() {}
            Ok(())
        }
    }
    serde_json::Deserializer::from_str(gps).deserialize_seq(Points)
}

impl<'de: 'a, 'a> Deserialize<'de> for Gps<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        check(text).map_err(D::Error::custom)?;
        Ok(Gps(Cow::Borrowed(text)))
    }
}

impl Serialize for Gps<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}
