//! `hexflow stalls`: which partitions stand still, and to say that a record is to be skipped.

use std::fmt::Write;
use std::path::Path;

use clap::{Args, Subcommand};
use hexflow_dataflows::messages::topic::Topic;

use super::Place;
use super::store::{RecordPlace, Skip, Standing};
use super::watch::host;
use crate::cli::{Failure, print};
use crate::config::Config;
use crate::patience;
use crate::replay::args::Store;
use crate::sources::kafka::names::Names;

/// List the partitions that stand still, or have a record skipped. Exit code 3 when some stand still.
#[derive(Args, Debug)]
pub struct StallsArgs {
    #[command(subcommand)]
    action: Option<Action>,
    /// The store that rows go to; where postgres.url is set, that is asked.
    #[arg(long, value_name = "STORE", default_value = "sqlite:hexflow.db", global = true)]
    store: Store,
    /// One JSON array, not a table.
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Have the record skipped at which a partition stands still; what is behind it goes on.
    Skip(SkipArgs),
}

#[derive(Args, Debug)]
struct SkipArgs {
    /// The topic, by its name on the brokers or without its prefix.
    topic: String,
    /// The partition's number.
    partition: u32,
    /// The record's offset.
    #[arg(value_parser = clap::value_parser!(u64).range(..=i64::MAX.cast_unsigned()))]
    offset: u64,
    /// Why: it is kept with the record's place.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who says so; without it the user of this machine.
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// Though no partition is known to stand still there.
    #[arg(long)]
    force: bool,
}

/// Does what `args` say.
pub fn run(args: &StallsArgs, config: &Config) -> Result<(), Failure> {
    let Some(place) = Place::of(config, &args.store, 1) else {
        let message =
            "there is no control store: set postgres.url, or name the embedded store with --store sqlite:PATH";
        return Err(Failure::usage(message));
    };
    if let Place::Sqlite { path, .. } = &place {
        is_there(path)?;
    }
    let mut store = place.open().map_err(patience::Failure::told)?;
    let name = store.name().to_owned();
    let standing = store.standing().map_err(|failure| failure.told_of("list stalled partitions", &name))?;
    match &args.action {
        None => list(&standing, args.json),
        Some(Action::Skip(args)) => {
            let skip = skip_of(args, config, &standing)?;
            let added = store.add_skip(&skip).map_err(|failure| failure.told_of("have a record skipped", &name))?;
            print(said(&skip.place, added).as_bytes())
        }
    }
}

fn is_there(path: &Path) -> Result<(), Failure> {
    if path.exists() {
        return Ok(());
    }
    let path = path.display();
    Err(Failure::usage(format!("there is no store {path}: name it with --store sqlite:PATH, or set postgres.url")))
}

fn list(standing: &[Standing], json: bool) -> Result<(), Failure> {
    if json {
        let text = serde_json::to_string(standing).map_err(anyhow::Error::from)?;
        print(format!("{text}\n").as_bytes())?;
    } else {
        print(table(standing).as_bytes())?;
    }
    if standing.is_empty() { Ok(()) } else { Err(Failure::Stalled) }
}

fn table(standing: &[Standing]) -> String {
    let mut table = String::new();
    if standing.is_empty() {
        return "no partition stands still\n".to_owned();
    }
    let width = |of: fn(&Standing) -> &str, least: usize| {
        standing.iter().map(|row| of(row).chars().count()).chain([least]).max().unwrap_or(least)
    };
    let (topics, whos) = (width(|row| &row.topic, 5), width(|row| &row.by, 2));
    let _ = writeln!(
        table,
        "{:<topics$} {:>9} {:>11}  {:<20}  {:<whos$}  reason; first bytes",
        "topic", "partition", "offset", "since", "by"
    );
    for Standing { topic, partition, offset, reason, head, since, by } in standing {
        let since =
            jiff::Timestamp::from_millisecond(*since).map_or_else(|_| since.to_string(), |at| format!("{at:.0}"));
        let head = head.escape_debug();
        let _ =
            writeln!(table, "{topic:<topics$} {partition:>9} {offset:>11}  {since:<20}  {by:<whos$}  {reason}; {head}");
    }
    table
}

/// What is to be skipped; a usage error if no partition stands there.
fn skip_of(args: &SkipArgs, config: &Config, standing: &[Standing]) -> Result<Skip, Failure> {
    let names = Names::new(config.kafka.topic_prefix.as_deref());
    let known = names.topic(&args.topic).or_else(|| Topic::named(&args.topic).filter(|topic| names.reads(*topic)));
    let Some(topic) = known else {
        let all = names.all().join(", ");
        return Err(Failure::usage(format!("{:?} is none of the topics that are read: {all}", args.topic)));
    };
    if args.reason.trim().is_empty() {
        return Err(Failure::usage("--reason is empty: say why the record is to be skipped"));
    }
    let place = RecordPlace { topic: names.of(topic).to_owned(), partition: args.partition, offset: args.offset };
    let at = standing.iter().find(|row| row.topic == place.topic && row.partition == place.partition);
    if !args.force && at.is_none_or(|row| row.offset != place.offset) {
        let stands =
            at.map_or_else(|| "does not stand still".to_owned(), |row| format!("stands at offset {}", row.offset));
        return Err(Failure::usage(format!(
            "topic {} partition {} {stands}, not at offset {}: `hexflow stalls` lists where partitions stand; to have the \
             record skipped when it comes, add --force",
            place.topic, place.partition, place.offset
        )));
    }
    let by = args.by.clone().unwrap_or_else(|| {
        let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "unknown".to_owned());
        format!("{user}@{}", host())
    });
    Ok(Skip { place, reason: args.reason.clone(), by })
}

fn said(RecordPlace { topic, partition, offset }: &RecordPlace, added: bool) -> String {
    let what = if added { "will be skipped" } else { "was to be skipped already" };
    format!("topic {topic} partition {partition} offset {offset} {what}\n")
}
