//! `hexflow windows`: the windows of a store, or the items seen most in them.

use clap::{Args, Subcommand};

use super::cameras::Cameras;
use super::output::Format;
use super::parameters::{self, Span};
use super::sensors::Sensors;
use super::top::Top;
use super::{Question, Stored};
use crate::cli::{Failure, print};
use crate::config::Config;
use crate::replay::args::Store;

/// Show windows that a store holds; it may be written meanwhile.
#[derive(Args, Debug)]
pub struct WindowsArgs {
    #[command(subcommand)]
    question: Asked,
    /// The store to read: sqlite:PATH or clickhouse (the configured one).
    #[arg(long, value_name = "STORE", default_value = "sqlite:hexflow.db", global = true)]
    store: Store,
    /// How to write the answer.
    #[arg(long, value_enum, default_value_t = Format::Table, global = true)]
    format: Format,
}

#[derive(Subcommand, Debug)]
enum Asked {
    /// Speeds and travellers: windows that end behind --from and not behind --to, zeros where nobody was.
    Sensors(SensorsArgs),
    /// Counts by location and item: windows that begin in [--from, --to).
    Cameras(CamerasArgs),
    /// The items seen most at each location in [--from, --to), with ties.
    Top(TopArgs),
}

#[derive(Args, Debug)]
struct SpanArgs {
    /// Where to begin: RFC 3339, or milliseconds since 1970.
    #[arg(long, value_name = "TIME", value_parser = parameters::time, allow_negative_numbers = true)]
    from: i64,
    /// Where to end.
    #[arg(long, value_name = "TIME", value_parser = parameters::time, allow_negative_numbers = true)]
    to: i64,
}

#[derive(Args, Debug)]
struct SensorsArgs {
    #[command(flatten)]
    span: SpanArgs,
    /// One sensor; without it all sensors together.
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    sensor: Option<i64>,
    /// One type of travellers; without it all types together.
    #[arg(long = "type", value_name = "TYPE")]
    traveler_type: Option<String>,
    /// Only windows that end at multiples of this multiple of sensors.slide.
    #[arg(long, value_name = "DURATION", value_parser = parameters::step)]
    step: Option<i64>,
}

#[derive(Args, Debug)]
struct CamerasArgs {
    #[command(flatten)]
    span: SpanArgs,
    /// One location; without it each.
    #[arg(long, value_name = "OID", allow_negative_numbers = true)]
    location: Option<i64>,
    /// One item; without it each.
    #[arg(long, value_name = "NAME")]
    item: Option<String>,
    /// Add windows up to this multiple of cameras.window.
    #[arg(long, value_name = "DURATION", value_parser = parameters::step)]
    step: Option<i64>,
    /// Show windows in which nothing was seen, too.
    #[arg(long)]
    fill: bool,
}

#[derive(Args, Debug)]
struct TopArgs {
    #[command(flatten)]
    span: SpanArgs,
    /// Items of a location; more where the last of them is tied.
    #[arg(short, long, value_name = "COUNT", value_parser = parameters::count)]
    k: usize,
    /// One location; without it each.
    #[arg(long, value_name = "OID", allow_negative_numbers = true)]
    location: Option<i64>,
}

/// Asks, and prints the answer.
pub fn run(args: WindowsArgs, config: &Config) -> Result<(), Failure> {
    let question = args.question.question()?;
    print(&Stored::new(&args.store, config)?.answer(&question, args.format)?)
}

impl Asked {
    fn question(self) -> Result<Question, Failure> {
        let span = |args: SpanArgs| Span::new(args.from, args.to);
        Ok(match self {
            Asked::Sensors(SensorsArgs { span: at, sensor, traveler_type, step }) => {
                Question::Sensors(Sensors { span: span(at)?, step_ms: step, sensor, traveler_type })
            }
            Asked::Cameras(CamerasArgs { span: at, location, item, step, fill }) => {
                Question::Cameras(Cameras { span: span(at)?, step_ms: step, location, item, fill })
            }
            Asked::Top(TopArgs { span: at, k, location }) => Question::Top(Top { span: span(at)?, k, location }),
        })
    }
}
