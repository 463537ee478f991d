//! The items seen most at each location over a span, with ties.

use hexflow_operators::top::top_of;
use serde_json::{Map, Value as Json, json};

use super::Problem;
use super::cameras::shape;
use super::dialect::Kind;
use super::output::Output;
use super::parameters::Span;
use super::reader::Reader;
use crate::tables::columns::row;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Top {
    /// Windows that begin in it; its beginning and end are multiples of `cameras.window`.
    pub span: Span,
    /// Items of a location; more where the last of them is tied.
    pub k: usize,
    /// One location; without one each.
    pub location: Option<i64>,
}

row! {
    /// An item of a location. Its rank is one more than the items that were seen more often.
    TopRow of camera_windows {
        geographical_location_oid: i64,
        rank: i64,
        item_name: &'a str,
        detections: i64,
    }
}

impl Top {
    /// Writes the items, by location, and the most frequent first.
    pub fn answer(&self, window_ms: i64, reader: &Reader, output: &mut Output) -> Result<(), Problem> {
        self.span.aligned(window_ms, "cameras.window")?;
        let (dialect, shape) = (reader.dialect(), shape(window_ms));
        let [location, item] = shape.keys;
        let only = dialect.only((location, self.location), (item, None));
        let within = shape.within(reader, self.span, false, &only);
        shape.check(reader, &within, &only)?;
        let columns = [(Kind::Integer, location), (Kind::Text, item), (Kind::Integer, "SUM(detections)")];
        let select = dialect.select(&columns, &format!("{within} GROUP BY c0, c1 ORDER BY c0"));
        let mut of_location: (i64, Vec<(String, i64)>) = Default::default();
        reader.read(&select, |row| {
            if row[0].integer() != of_location.0 {
                self.tell(std::mem::take(&mut of_location), output)?;
                of_location.0 = row[0].integer();
            }
            of_location.1.push((row[1].text().to_owned(), row[2].integer()));
            Ok(())
        })?;
        self.tell(of_location, output)
    }

    /// What was asked for, as JSON tells it.
    pub fn about(&self) -> Map<String, Json> {
        let about = json!({ "from": self.span.from_ms, "to": self.span.to_ms, "k": self.k });
        about.as_object().cloned().unwrap_or_default()
    }

    fn tell(&self, (location, items): (i64, Vec<(String, i64)>), output: &mut Output) -> Result<(), Problem> {
        let (mut rank, mut before) = (0, None);
        for ((item_name, detections), place) in top_of(items, self.k).iter().zip(1..) {
            if before != Some(*detections) {
                (rank, before) = (place, Some(*detections));
            }
            output.push(&TopRow { geographical_location_oid: location, rank, item_name, detections: *detections })?;
        }
        Ok(())
    }
}
