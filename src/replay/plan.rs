//! What a run needs before any worker starts: the store opened, sinks running.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use anyhow::Result;
use hexflow_dataflows::pipelines::{Pipeline, Pipelines};
use hexflow_dataflows::rows::track_key;
use uuid::Uuid;

use super::args::Store;
use super::outputs::Route;
use super::settings::settings;
use crate::alerts::{Alerts, board};
use crate::cli::Failure;
use crate::cluster::ClusterArgs;
use crate::config::Config;
use crate::control::Mapper;
use crate::fault::Fault;
use crate::flow::{Before, Flow, Settings};
use crate::history::take_up::take_up;
use crate::history::{self, History};
use crate::locations;
use crate::objects;
use crate::progress::Progress;
use crate::restored::{self, Tables};
use crate::sinks::Sink;
use crate::sinks::clickhouse;
use crate::sinks::emit::Emit;
use crate::sinks::kafka::Kafka;
use crate::sinks::late::Late;
use crate::sinks::ndjson::Ndjson;
use crate::sinks::null::Null;
use crate::sinks::objects::Objects;
use crate::sinks::sqlite::{self, Sqlite};
use crate::sinks::writer::{self, Queue};
use crate::totals::Totals;

/// Where things go, as it was typed.
#[derive(Clone)]
pub struct Outlets<'a> {
    /// Where rows go.
    pub store: &'a Store,
    /// Where outgoing topics go as dumps.
    pub emit: Option<&'a Path>,
    /// Where late records are listed.
    pub late: Option<objects::Place>,
    /// Whether outgoing topics go to Kafka.
    pub send: bool,
    /// Whether nothing is to be written.
    pub dry_run: bool,
    /// Workers and processes.
    pub cluster: &'a ClusterArgs,
    /// The pipelines that run.
    pub pipelines: Pipelines,
    /// Whether files of lines are written anew; if not, lines are added to what stands.
    pub afresh: bool,
    /// Whether records come as they happen: then alerts are shown and posted, and silence is heard.
    pub live: bool,
}

/// Where things go, decided.
pub struct Plan {
    /// What pipelines are told.
    pub settings: Settings,
    /// How rows reach their sinks.
    pub route: Route,
    /// What stood before.
    pub before: Before,
    /// The queues of the sinks that all rows go to.
    pub sinks: Vec<Queue>,
    /// The queue of the sink that frames' detailed GPS goes to.
    pub objects: Vec<Queue>,
    /// The queue of the sink that late records go to.
    pub late: Vec<Queue>,
    /// The queue of the sink that settled rows go to.
    pub history: Vec<Queue>,
    /// The sinks' threads.
    pub threads: Vec<JoinHandle<()>>,
}

impl Plan {
    /// Opens what is to be written, and starts the sinks.
    pub fn new(args: &Outlets<'_>, config: &Config, fault: &Fault) -> Result<Self, Failure> {
        let settings = settings(args, config)?;
        let objects = place_of_objects(args, config)?;
        let mut kept = history::open(args, config)?;
        // The one process that writes for all is the first; into others than SQLite each writes for itself: a row is of one
        // track, and a track of one process, so that no two write the same row. Windows are the first's in any store.
        let gathers = args.cluster.processes > 1 && (args.emit.is_some() || matches!(args.store, Store::Sqlite(_)));
        let writes = !gathers || args.cluster.process == 0;
        let route = Route {
            gather: gathers.then_some(args.cluster.workers as u64),
            requests: (args.emit.is_some() || args.send) && !args.dry_run,
        };
        let (sinks, objects_queue, late, history, threads) = Default::default();
        let mut before = Before::default();
        if args.cluster.process == 0 && args.pipelines.contains(Pipeline::Cameras) {
            before.locations = locations::source::read(config)?;
        }
        let mut plan = Plan { settings, route, before, sinks, objects: objects_queue, late, history, threads };
        if writes {
            let queue = plan.store(args, config, kept.as_mut(), fault)?;
            plan.sinks.push(queue);
        }
        if let Some(folder) = args.emit.filter(|_| writes && !args.dry_run) {
            let queue = plan.start("emit", Emit::create(folder, &config.env)?, fault)?;
            plan.sinks.push(queue);
        }
        if args.send && writes && !args.dry_run {
            let queue = plan.start("kafka", Kafka::new(config)?, fault)?;
            plan.sinks.push(queue);
        }
        // All changes of windows are in the first process.
        if args.live && args.cluster.process == 0 && plan.has_alerts() {
            let queue = plan.start("alerts", Alerts::new(config)?, fault)?;
            plan.sinks.push(queue);
        }
        if let Some(place) = objects.filter(|_| !args.dry_run) {
            let store = objects::Store::open(&place, config)?;
            let queue = plan.start("objects", Objects::new(store), fault)?;
            plan.objects.push(queue);
        }
        if let Some(store) = kept {
            let queue = plan.start("history", History::new(store), fault)?;
            plan.history.push(queue);
        }
        // All of them come to the first process.
        if let Some(place) = args.late.as_ref().filter(|_| !args.dry_run && args.cluster.process == 0) {
            let queue = plan.start("late", Late::new(objects::Store::open_synced(place, config)?), fault)?;
            plan.late.push(queue);
        }
        Ok(plan)
    }

    /// What a worker needs; the first that asks has what stood before.
    pub fn flow(&mut self, mapper: Option<Mapper>, counts: &Arc<Mutex<Totals>>, progress: &Arc<Progress>) -> Flow {
        Flow {
            settings: self.settings.clone(),
            route: self.route,
            before: std::mem::take(&mut self.before),
            mapper,
            sinks: self.sinks.clone(),
            objects: self.objects.clone(),
            late: self.late.clone(),
            history: self.history.clone(),
            counts: Arc::clone(counts),
            progress: Arc::clone(progress),
        }
    }

    fn keep(&mut self, stored: &[(String, Uuid)]) {
        self.before.mapping = stored.iter().map(|(track, axion)| (track_key(track), axion.as_u128())).collect();
    }

    /// Reads what the store has kept for windows and alerts to go on from.
    fn restore(&mut self, store: &mut impl Tables, args: &Outlets<'_>) -> Result<()> {
        let (before, rules) = (&mut self.before, &self.settings.alerts.rules);
        if args.pipelines.contains(Pipeline::Sensors) {
            before.sensors = restored::windows::sensors(store)?;
            before.sensor_alerts = restored::alerts::sensors(store, rules)?;
        }
        if args.pipelines.contains(Pipeline::Cameras) {
            let window_ms = self.settings.cameras.window_ms;
            before.cameras = restored::windows::cameras(store, &self.settings.cameras)?;
            before.camera_alerts = restored::alerts::cameras(store, rules, window_ms)?;
        }
        if args.live {
            restored::alerts::shown(store)?.into_iter().for_each(board::show);
        }
        Ok(())
    }

    /// Whether there may be something to be told of alerts: those that fire may be of rules that are gone.
    fn has_alerts(&self) -> bool {
        let Before { sensor_alerts, camera_alerts, .. } = &self.before;
        !self.settings.alerts.rules.is_empty() || sensor_alerts.may_tell() || camera_alerts.may_tell()
    }

    fn start(&mut self, name: &str, sink: impl Sink, fault: &Fault) -> Result<Queue> {
        let (queue, thread) = writer::start(name, sink, fault.clone())?;
        self.threads.push(thread);
        Ok(queue)
    }

    /// Opens the store; the mapping that stands there is kept.
    fn store(
        &mut self,
        args: &Outlets<'_>,
        config: &Config,
        history: Option<&mut objects::Store>,
        fault: &Fault,
    ) -> Result<Queue> {
        let name = "store";
        match args.store {
            Store::Sqlite(path) if !args.dry_run || path.exists() => {
                let mut store = if args.dry_run { sqlite::open_to_read(path)? } else { sqlite::open(path)? };
                // PostgreSQL has it, if there is one.
                let has_mapping = config.postgres.url.is_none();
                if has_mapping {
                    self.keep(&sqlite::stored_mapping(&store)?);
                }
                self.restore(&mut store, args)?;
                if args.dry_run {
                    return self.start(name, Null::default(), fault);
                }
                let mut store = Sqlite::new(store, path.clone(), has_mapping);
                history.map_or(Ok(()), |history| take_up(history, &self.before.cameras, &mut store))?;
                self.start(name, store, fault)
            }
            Store::ClickHouse => {
                let mut store = clickhouse::open(config, args.pipelines)?;
                // One worker of all has what stood before.
                if args.cluster.process == 0 {
                    if args.pipelines.contains(Pipeline::Citylens) && config.postgres.url.is_none() {
                        self.keep(&clickhouse::stored_mapping(&mut store)?);
                    }
                    if args.dry_run {
                        store.check_whole(args.pipelines)?;
                    } else {
                        store.take_up(args.pipelines)?;
                    }
                    self.restore(&mut store, args)?;
                    history.map_or(Ok(()), |history| take_up(history, &self.before.cameras, &mut store))?;
                }
                if args.dry_run {
                    return self.start(name, Null::default(), fault);
                }
                self.start(name, store, fault)
            }
            Store::Ndjson(folder) if !args.dry_run => {
                let cluster = &args.cluster;
                let alone = cluster.processes == 1 || self.route.gather.is_some();
                let suffix = if alone { String::new() } else { format!(".p{}", cluster.process) };
                let lines =
                    if args.afresh { Ndjson::create(folder, &suffix)? } else { Ndjson::append(folder, &suffix)? };
                self.start(name, lines, fault)
            }
            Store::Null | Store::Sqlite(_) | Store::Ndjson(_) => self.start(name, Null::default(), fault),
        }
    }
}

/// Where objects go: as configured, or beside the store.
fn place_of_objects(args: &Outlets<'_>, config: &Config) -> Result<Option<objects::Place>, Failure> {
    if let Some(url) = config.object_store.url.as_deref() {
        return objects::Place::parse(url).map(Some).map_err(Failure::usage);
    }
    Ok(match args.store {
        Store::Sqlite(path) => Some(objects::Place::Folder(path.with_extension("objects"))),
        Store::Ndjson(folder) => Some(objects::Place::Folder(folder.join("objects"))),
        Store::ClickHouse | Store::Null => None,
    })
}
