//! The topic of cameras: something that a camera recognised.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::value::Text;

/// The longest item name, characters.
pub const MAX_ITEM_CHARS: usize = 5_000;

/// The first and the last millisecond that an RFC 3339 time can say: tables hold no others.
pub(super) const TIMES_MS: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

/// `camera-detection`: its names are snake case.
#[derive(Debug, Deserialize)]
pub struct CameraDetection<'a> {
    /// Where the camera stands.
    pub geographical_location_oid: i64,
    /// The camera.
    pub video_camera_oid: i64,
    /// Names the detection.
    pub detection_oid: i64,
    /// What was seen.
    #[serde(borrow, deserialize_with = "item_name")]
    pub item_name: Text<'a>,
    /// When, ms since the epoch.
    #[serde(deserialize_with = "epoch_ms")]
    pub timestamp_detected: i64,
}

fn item_name<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
    let name = Text::deserialize(deserializer)?;
    // A text has at most as many characters as bytes: nearly none is counted.
    let chars = if name.0.len() <= MAX_ITEM_CHARS { 0 } else { name.0.chars().count() };
    within(chars <= MAX_ITEM_CHARS, name, format_args!("{chars} characters are more than {MAX_ITEM_CHARS}"))
}

fn epoch_ms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let ms = i64::deserialize(deserializer)?;
    within(TIMES_MS.contains(&ms), ms, format_args!("{ms} ms is not within the years 0 to 9999"))
}

fn within<T, E: Error>(is_within: bool, value: T, error: fmt::Arguments<'_>) -> Result<T, E> {
    if is_within { Ok(value) } else { Err(E::custom(error)) }
}
