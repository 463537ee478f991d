//! What pipelines are told, made of the configuration.

use std::time::Duration;

use hexflow_dataflows::alerts::clock::Patience;
use hexflow_dataflows::cameras::settle::Steps;
use hexflow_dataflows::decode::{self, OnMalformed};
use hexflow_dataflows::skips::Skips;
use hexflow_dataflows::{alerts, cameras, sensors};
use hexflow_operators::slides::Slides;
use hexflow_operators::watermark::Lateness;

use super::plan::Outlets;
use crate::cli::Failure;
use crate::config::{self, Config};
use crate::flow::Settings;
use crate::telemetry::waiting;

/// What pipelines are told; a usage error if that cannot be.
pub fn settings(args: &Outlets<'_>, config: &Config) -> Result<Settings, Failure> {
    let on_malformed = match config.on_malformed {
        config::OnMalformed::Stall => OnMalformed::Stall,
        config::OnMalformed::DeadLetter if args.emit.is_some() || args.send => OnMalformed::DeadLetter,
        config::OnMalformed::DeadLetter => {
            let message = "on_malformed = \"dead_letter\" needs somewhere to put them: a replay --emit DIR, a run \
                           kafka.send = true";
            return Err(Failure::usage(message));
        }
    };
    let (env, skips, pipelines) = (config.env.clone(), Skips::default(), args.pipelines);
    let slides = Slides::new(ms(config.sensors.window), ms(config.sensors.slide));
    Ok(Settings {
        decode: decode::Settings { env, on_malformed, skips, pipelines },
        dedup_window_ms: ms(config.dedup.window),
        sensors: sensors::Settings {
            slides: slides.ok_or_else(|| Failure::usage("sensors.window and sensors.slide are at least 1ms"))?,
            visit_gap_ms: ms(config.sensors.visit_gap),
            lateness: lateness(config.sensors.lateness),
        },
        cameras: cameras::Settings {
            window_ms: ms(config.cameras.window),
            lateness: lateness(config.cameras.lateness),
            has_locations: config.cameras.locations.is_some(),
            settle: config
                .cameras
                .history
                .as_ref()
                .map(|_| Steps { step_ms: ms(config.cameras.history_step), rows: config.cameras.history_rows }),
        },
        alerts: alerts::Settings {
            rules: config.alerts.rules(),
            patience: Patience { wait_ms: ms(config.alerts.wait), idle_ms: ms(config.alerts.idle) },
            is_silent: args.live.then_some(waiting::for_nothing),
        },
    })
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A partition is waited for as long as a row is, and for an hour at least: what is late is then a matter of its partition's
/// own order, unless that is further behind the others.
fn lateness(duration: Duration) -> Lateness {
    Lateness { lateness_ms: ms(duration), idle_ms: ms(duration).max(60 * 60 * 1_000) }
}
