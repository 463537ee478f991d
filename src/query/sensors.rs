//! Windows of sensors over a span: of one sensor or all together, of one type or all together, at every multiple of a step.
//!
//! Of several rows the least and the greatest speed are those of all, the mean is weighted by samples, samples are summed, and
//! travellers are counted from their visits (see [`super::travelers`]). One row alone is given as it stands. A window without a
//! row is one in which nobody was: all its figures are zero.

use std::ops::Range;

use hexflow_operators::slides::Slides;
use serde_json::{Map, Value as Json, json};

use super::Problem;
use super::dialect::Kind;
use super::output::Output;
use super::parameters::{Span, multiple};
use super::problem::MAX_ROWS;
use super::reader::Reader;
use super::shape::Shape;
use super::travelers::Travelers;
use crate::tables::columns::row;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sensors {
    /// Windows that end behind its beginning, and not behind its end.
    pub span: Span,
    /// Windows that end at multiples of it, ms; without one at all ends.
    pub step_ms: Option<i64>,
    /// One sensor; without one all together.
    pub sensor: Option<i64>,
    /// One type of travellers; without one all together.
    pub traveler_type: Option<String>,
}

row! {
    /// A window; what it is of is null where it is of all.
    FiguresRow of sensor_windows {
        sensor_id: Option<i64>,
        traveler_type: Option<&'a str>,
        window_end: i64,
        window_ms: i64,
        min_speed: Option<f64>,
        max_speed: Option<f64>,
        avg_speed: Option<f64>,
        samples: i64,
        travelers: i64,
    }
}

/// What a window comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Figures {
    min_speed: Option<f64>,
    max_speed: Option<f64>,
    avg_speed: Option<f64>,
    samples: i64,
    travelers: i64,
}

/// Of a window without a row.
const NOBODY: Figures =
    Figures { min_speed: Some(0.0), max_speed: Some(0.0), avg_speed: Some(0.0), samples: 0, travelers: 0 };

/// The windows that are asked for.
#[derive(Clone, Debug)]
struct Grid {
    /// Of the stored length, at the step.
    slides: Slides,
    windows: Range<i64>,
}

impl Sensors {
    /// Writes the windows, in order.
    pub fn answer(&self, slides: Slides, reader: &Reader, output: &mut Output) -> Result<(), Problem> {
        let grid = self.grid(slides)?;
        let mut figures = self.stored(slides, &grid, reader)?;
        let is_of_one_row = self.sensor.is_some() && self.traveler_type.is_some();
        if !is_of_one_row && figures.iter().any(Option::is_some) {
            let travelers = self.travelers(&grid, reader)?;
            for (figures, travelers) in figures.iter_mut().zip(travelers.counts()) {
                figures.iter_mut().for_each(|figures| figures.travelers = travelers);
            }
        }
        for (k, figures) in grid.windows.zip(figures) {
            let Figures { min_speed, max_speed, avg_speed, samples, travelers } = figures.unwrap_or(NOBODY);
            output.push(&FiguresRow {
                sensor_id: self.sensor,
                traveler_type: self.traveler_type.as_deref(),
                window_end: grid.slides.end_ms(k),
                window_ms: grid.slides.window_ms(),
                min_speed,
                max_speed,
                avg_speed,
                samples,
                travelers,
            })?;
        }
        Ok(())
    }

    /// What was asked for, as JSON tells it.
    pub fn about(&self, slides: Slides) -> Map<String, Json> {
        let about = json!({
            "from": self.span.from_ms, "to": self.span.to_ms, "step_ms": self.step_ms.unwrap_or(slides.slide_ms()),
        });
        about.as_object().cloned().unwrap_or_default()
    }

    fn grid(&self, slides: Slides) -> Result<Grid, Problem> {
        let step_ms = multiple(self.step_ms, slides.slide_ms(), "sensors.slide")?;
        let windows = self.span.from_ms.div_euclid(step_ms) + 1..self.span.to_ms.div_euclid(step_ms) + 1;
        if usize::try_from(windows.end - windows.start).is_ok_and(|count| count > MAX_ROWS) {
            return Err(Problem::TooMany);
        }
        let slides = Slides::new(slides.window_ms(), step_ms);
        let slides = slides.ok_or_else(|| Problem::Parameter("step", "it is not above zero".to_owned()))?;
        Ok(Grid { slides, windows })
    }

    /// What the rows of each window come to; nothing where there are none. Travellers are those of one row.
    fn stored(&self, slides: Slides, grid: &Grid, reader: &Reader) -> Result<Vec<Option<Figures>>, Problem> {
        let shape = Shape {
            table: "sensor_windows",
            keys: ["sensor_id", "traveler_type"],
            time: "window_end",
            window: (slides.window_ms(), "sensors.window"),
            unit: (slides.slide_ms(), "sensors.slide"),
        };
        let dialect = reader.dialect();
        let only = self.only(reader);
        let within = shape.within(reader, self.span, true, &only);
        shape.check(reader, &within, &only)?;
        let end = dialect.ms("window_end");
        // The mean of one row is left as it is: a product and a quotient might change its last bit.
        let mean = "CASE WHEN COUNT(avg_speed) = 1 THEN MAX(avg_speed) \
                    ELSE SUM(avg_speed * samples) / SUM(CASE WHEN avg_speed IS NULL THEN 0 ELSE samples END) END";
        let columns = [
            (Kind::Integer, end.as_str()),
            (Kind::Real, "MIN(min_speed)"),
            (Kind::Real, "MAX(max_speed)"),
            (Kind::Real, mean),
            (Kind::Integer, "SUM(samples)"),
            (Kind::Integer, "MAX(travelers)"),
        ];
        let step_ms = grid.slides.slide_ms();
        let select = dialect.select(&columns, &format!("{within} AND {end} % {step_ms} = 0 GROUP BY c0"));
        let mut figures = vec![None; usize::try_from(grid.windows.end - grid.windows.start).unwrap_or(0)];
        reader.read(&select, |row| {
            let at = usize::try_from(row[0].integer() / step_ms - grid.windows.start).ok();
            if let Some(place) = at.and_then(|at| figures.get_mut(at)) {
                let [min_speed, max_speed, avg_speed] = [1, 2, 3].map(|at| row[at].real());
                let (samples, travelers) = (row[4].integer(), row[5].integer());
                *place = Some(Figures { min_speed, max_speed, avg_speed, samples, travelers });
            }
            Ok(())
        })?;
        Ok(figures)
    }

    /// Different travellers of each window.
    fn travelers(&self, grid: &Grid, reader: &Reader) -> Result<Travelers, Problem> {
        let (dialect, slides) = (reader.dialect(), grid.slides);
        let (entered, left) = (dialect.ms("entered_at"), dialect.ms("left_at"));
        // As `Slides::touching` has it: entered before the last window's end, left not before the first one's beginning.
        let rest = format!(
            "FROM {} WHERE entered_at < {} AND left_at >= {}{} ORDER BY c0, c1",
            dialect.table("sensor_travelers"),
            dialect.at(slides.end_ms(grid.windows.end - 1)),
            dialect.at(slides.start_ms(grid.windows.start)),
            self.only(reader)
        );
        let columns = [(Kind::Text, "traveler_id"), (Kind::Integer, entered.as_str()), (Kind::Integer, left.as_str())];
        let mut travelers = Travelers::new(slides, grid.windows.clone());
        reader.read(&dialect.select(&columns, &rest), |row| {
            travelers.add(row[0].text(), row[1].integer(), row[2].integer());
            Ok(())
        })?;
        Ok(travelers)
    }

    fn only(&self, reader: &Reader) -> String {
        reader.dialect().only(("sensor_id", self.sensor), ("traveler_type", self.traveler_type.as_deref()))
    }
}
