//! The windows that can be asked for: where they are stored, and of what length.

use std::path::PathBuf;

use anyhow::anyhow;
use hexflow_operators::slides::Slides;

use super::Problem;
use super::cameras::Cameras;
use super::dialect::Kind;
use super::output::{Format, Output};
use super::parameters::ms;
use super::reader::Reader;
use super::sensors::{FiguresRow, Sensors};
use super::top::{Top, TopRow};
use crate::config::{self, Config};
use crate::replay::args::Store;
use crate::tables::Columns;
use crate::tables::columns::Column;
use crate::tables::windows::CameraWindowRow;

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Windows of sensors.
    Sensors(Sensors),
    /// Windows of cameras.
    Cameras(Cameras),
    /// The items seen most.
    Top(Top),
}

/// Windows that can be asked for. Each question opens the store anew, and reads it on the thread that asks.
#[derive(Clone, Debug)]
pub struct Stored {
    place: Place,
    slides: Slides,
    camera_window_ms: i64,
}

#[derive(Clone, Debug)]
enum Place {
    Sqlite(PathBuf),
    ClickHouse(config::ClickHouse),
    /// A store that cannot be asked.
    Nowhere,
}

impl Stored {
    /// Of a store, as it is configured.
    pub fn new(store: &Store, config: &Config) -> Result<Self, Problem> {
        let slides = Slides::new(ms(config.sensors.window), ms(config.sensors.slide));
        let slides =
            slides.ok_or_else(|| Problem::Mismatch("sensors.window and sensors.slide are at least 1ms".to_owned()))?;
        let place = match store {
            Store::Sqlite(path) => Place::Sqlite(path.clone()),
            Store::ClickHouse => Place::ClickHouse(config.clickhouse.clone()),
            Store::Ndjson(_) | Store::Null => Place::Nowhere,
        };
        Ok(Stored { place, slides, camera_window_ms: ms(config.cameras.window) })
    }

    /// Answers a question.
    pub fn answer(&self, question: &Question, format: Format) -> Result<Vec<u8>, Problem> {
        let (reader, window_ms) = (self.open()?, self.camera_window_ms);
        let mut output = Output::new(format, question.columns());
        Ok(match question {
            Question::Sensors(sensors) => {
                sensors.answer(self.slides, &reader, &mut output)?;
                output.finish(sensors.about(self.slides), "windows")
            }
            Question::Cameras(cameras) => {
                cameras.answer(window_ms, &reader, &mut output)?;
                output.finish(cameras.about(window_ms), "windows")
            }
            Question::Top(top) => {
                top.answer(window_ms, &reader, &mut output)?;
                output.finish(top.about(), "items")
            }
        })
    }

    /// Whether the store can be read.
    pub fn check(&self) -> Result<(), Problem> {
        let reader = self.open()?;
        reader.read(&reader.dialect().select(&[(Kind::Integer, "1")], ""), |_| Ok(()))
    }

    fn open(&self) -> Result<Reader, Problem> {
        match &self.place {
            Place::Sqlite(path) => Reader::sqlite(path),
            Place::ClickHouse(config) => Reader::clickhouse(config),
            Place::Nowhere => {
                Err(Problem::Store(anyhow!("windows can be read from the stores sqlite:PATH and clickhouse only")))
            }
        }
    }
}

impl Question {
    fn columns(&self) -> &'static [Column] {
        match self {
            Question::Sensors(_) => FiguresRow::COLUMNS,
            Question::Cameras(_) => CameraWindowRow::COLUMNS,
            Question::Top(_) => TopRow::COLUMNS,
        }
    }
}
