//! The message `movement`: where a traveler was when a sensor saw it.

use std::fmt::{self, Write};

use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::time::Instant;

use super::courier::Reading;
use super::traveler::TYPES;
use crate::generate::envelope::Cause;
use crate::generate::id::{Kind, push};
use crate::generate::summary::Words;

/// Of eight sensors one writes times without a zone, which are UTC.
const NAIVE_ONE_OF: i64 = 8;

/// A reading of a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Movement {
    /// When, ms since the epoch.
    pub(super) at_ms: i64,
    /// The sensor's id.
    pub(super) sensor_id: i64,
    /// Bits of the traveler's id.
    pub(super) traveler: u64,
    /// Which of [`TYPES`] it is taken for.
    pub(super) type_number: u8,
    /// East of the sensor field's corner, cm.
    pub(super) x_cm: u32,
    /// North of it, cm.
    pub(super) y_cm: u32,
}

impl Reading for Movement {
    const TOPICS: &'static [Topic; 1] = &[Topic::Movements];
    const WORDS: Words =
        Words { topics: &["movements"], causes: &[(Cause::Duplicate, "duplicates"), (Cause::Late, "late")] };

    fn at_ms(&self) -> i64 {
        self.at_ms
    }

    fn place(&self) -> i64 {
        self.sensor_id
    }

    fn write(&self, payload: &mut String) -> fmt::Result {
        payload.push_str("{\"traveler_id\":\"");
        push(payload, Kind::Traveler, self.traveler);
        payload.push_str("\",\"traveler_type\":\"");
        payload.push_str(TYPES[usize::from(self.type_number) % TYPES.len()].name);
        write!(
            payload,
            "\",\"sensor_id\":{},\"position\":[{}.{:02}",
            self.sensor_id,
            self.x_cm / 100,
            self.x_cm % 100
        )?;
        write!(payload, ",{}.{:02}],\"timestamp\":\"", self.y_cm / 100, self.y_cm % 100)?;
        write!(payload, "{}", Instant::from_ms(self.at_ms))?;
        if self.sensor_id % NAIVE_ONE_OF == 0 && payload.ends_with('Z') {
            payload.pop();
        }
        payload.push_str("\"}");
        Ok(())
    }
}
