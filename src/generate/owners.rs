//! Which option is whose: one that means nothing for the chosen pipeline is an error, not silently without effect.

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Id};

use super::args::{Options, Pipeline};

/// The highest --rate of citylens: frames of one vehicle.
const MOST_FRAMES_HERTZ: f64 = 100.0;

/// What the command line says, checked as a whole.
#[derive(Clone, Debug)]
pub struct GenerateArgs(pub Options);

/// The options of some pipelines only: the group that each of their structs is to the command line.
const OWNERS: [(&str, &[Pipeline]); 5] = [
    ("SeenArgs", &[Pipeline::Citylens, Pipeline::Cameras]),
    ("CitylensArgs", &[Pipeline::Citylens]),
    ("DelayArgs", &[Pipeline::Sensors, Pipeline::Cameras]),
    ("SensorsArgs", &[Pipeline::Sensors]),
    ("CamerasArgs", &[Pipeline::Cameras]),
];

impl FromArgMatches for GenerateArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let options = Options::from_arg_matches(matches)?;
        check_owners(options.pipeline, matches)?;
        check_rate(&options)?;
        Ok(GenerateArgs(options))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = GenerateArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for GenerateArgs {
    fn augment_args(command: Command) -> Command {
        Options::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Options::augment_args_for_update(command)
    }
}

/// Refuses what was typed and is another pipeline's.
fn check_owners(pipeline: Pipeline, matches: &ArgMatches) -> Result<(), Error> {
    for (group, owners) in OWNERS.iter().filter(|(_, owners)| !owners.contains(&pipeline)) {
        let Some(id) = matches.get_many::<Id>(group).and_then(|mut ids| ids.next()) else { continue };
        let option = id.as_str().replace('_', "-");
        let owners: Vec<String> = owners.iter().map(ToString::to_string).collect();
        let owners = owners.join(" and ");
        return Err(Error::raw(
            ErrorKind::ArgumentConflict,
            format!("--{option} means nothing for the pipeline {pipeline}: it is an option of {owners}"),
        ));
    }
    Ok(())
}

/// Refuses rates at which a pipeline's world would make no sense.
fn check_rate(options: &Options) -> Result<(), Error> {
    let refuse = |why: String| Err(Error::raw(ErrorKind::ValueValidation, why));
    let rate = options.rate();
    match options.pipeline {
        Pipeline::Citylens if rate > MOST_FRAMES_HERTZ => {
            refuse(format!("--rate {rate} of the pipeline citylens must lie within 0.001 and {MOST_FRAMES_HERTZ}"))
        }
        Pipeline::Sensors => {
            let travelers = options.sensors.travelers;
            let (between, gap) = (f64::from(travelers) / rate, options.sensors.visit_gap.as_secs_f64());
            if between * 2.0 <= gap {
                return Ok(());
            }
            refuse(format!(
                "--travelers {travelers} at --rate {rate} of the pipeline sensors leave {between:.1} s between two \
                 readings of one, too near to a --visit-gap of {gap} s to make visits"
            ))
        }
        _ => Ok(()),
    }
}
