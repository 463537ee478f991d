//! Windows of cameras over a span, by location and item: as they are stored, or added up over a longer step; where nothing was
//! seen there is no row, or on demand one of zero.

use serde_json::{Map, Value as Json, json};

use super::Problem;
use super::dialect::Kind;
use super::output::Output;
use super::parameters::{Span, multiple};
use super::reader::Reader;
use super::shape::Shape;
use crate::tables::windows::CameraWindowRow;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cameras {
    /// Windows that begin in it; its beginning and end are multiples of the step.
    pub span: Span,
    /// Length of the windows to tell, ms; without one as they are stored.
    pub step_ms: Option<i64>,
    /// One location; without one each.
    pub location: Option<i64>,
    /// One item; without one each.
    pub item: Option<String>,
    /// Whether to tell windows in which nothing was seen, of each location and item that the span has, or that are named.
    pub fill: bool,
}

/// The table of windows, of `window_ms` each.
pub fn shape(window_ms: i64) -> Shape {
    Shape {
        table: "camera_windows",
        keys: ["geographical_location_oid", "item_name"],
        time: "window_start",
        window: (window_ms, "cameras.window"),
        unit: (window_ms, "cameras.window"),
    }
}

impl Cameras {
    /// Writes the windows, by location, item and time.
    pub fn answer(&self, window_ms: i64, reader: &Reader, output: &mut Output) -> Result<(), Problem> {
        let step_ms = multiple(self.step_ms, window_ms, "cameras.window")?;
        self.span.aligned(step_ms, if self.step_ms.is_some() { "step" } else { "cameras.window" })?;
        let (dialect, shape) = (reader.dialect(), shape(window_ms));
        let [location, item] = shape.keys;
        let only = dialect.only((location, self.location), (item, self.item.as_deref()));
        let within = shape.within(reader, self.span, false, &only);
        shape.check(reader, &within, &only)?;
        let start = dialect.ms("window_start");
        // A remainder has the sign of what is divided: before 1970 it would lead to the step behind.
        let start = format!("{start} - (({start} % {step_ms}) + {step_ms}) % {step_ms}");
        let columns = [
            (Kind::Integer, location),
            (Kind::Text, item),
            (Kind::Integer, start.as_str()),
            (Kind::Integer, "SUM(detections)"),
        ];
        let select = dialect.select(&columns, &format!("{within} GROUP BY c0, c1, c2 ORDER BY c0, c1, c2"));
        let mut filled = Filled { span: self.span, step_ms, fills: self.fill, series: None, output };
        if let (Some(location), Some(item)) = (self.location, &self.item) {
            filled.begin(location, item);
        }
        reader.read(&select, |row| filled.row(row[0].integer(), row[1].text(), row[2].integer(), row[3].integer()))?;
        filled.end()
    }

    /// What was asked for, as JSON tells it.
    pub fn about(&self, window_ms: i64) -> Map<String, Json> {
        let step_ms = self.step_ms.unwrap_or(window_ms);
        let about = json!({ "from": self.span.from_ms, "to": self.span.to_ms, "step_ms": step_ms });
        about.as_object().cloned().unwrap_or_default()
    }
}

/// Rows with those between them.
struct Filled<'a> {
    span: Span,
    step_ms: i64,
    fills: bool,
    /// The location and item under way, and when the window begins that comes next.
    series: Option<(i64, String, i64)>,
    output: &'a mut Output,
}

impl Filled<'_> {
    fn row(&mut self, location: i64, item: &str, start_ms: i64, detections: i64) -> Result<(), Problem> {
        if self.series.as_ref().is_none_or(|(of, name, _)| (*of, name.as_str()) != (location, item)) {
            self.end()?;
            self.begin(location, item);
        }
        self.zeros(start_ms)?;
        self.tell(start_ms, detections)
    }

    fn begin(&mut self, location: i64, item: &str) {
        self.series = Some((location, item.to_owned(), self.span.from_ms));
    }

    /// The windows before `to_ms` that are still to be told.
    fn zeros(&mut self, to_ms: i64) -> Result<(), Problem> {
        while self.fills
            && let Some((.., next_ms)) = self.series
            && next_ms < to_ms
        {
            self.tell(next_ms, 0)?;
        }
        Ok(())
    }

    fn tell(&mut self, window_start: i64, detections: i64) -> Result<(), Problem> {
        let Some((location, item, next_ms)) = &mut self.series else { return Ok(()) };
        *next_ms = window_start + self.step_ms;
        self.output.push(&CameraWindowRow {
            geographical_location_oid: *location,
            item_name: item,
            window_start,
            window_ms: self.step_ms,
            detections,
        })
    }

    fn end(&mut self) -> Result<(), Problem> {
        self.zeros(self.span.to_ms)
    }
}
