//! What a live run has to do with its control store: the threads that speak to it, and their ends in the workers.

use std::sync::mpsc::{SyncSender, sync_channel};

use anyhow::Result;
use hexflow_dataflows::pipelines::Pipeline;

use super::args::RunArgs;
use super::dataflow::Mapped;
use crate::config::Config;
use crate::control::loader::Loader;
use crate::control::mapper::{Arrival, Finds};
use crate::control::watch::Watch;
use crate::control::{Handle, Mapper, Place};
use crate::fault::Fault;
use crate::replay::args::chosen;
use crate::sources::kafka::gate::Gate;
use crate::sources::kafka::gather::Share;
use crate::sources::kafka::names::Names;

/// Chunks of mapping rows that may wait for a worker.
const CHUNKS_AHEAD: usize = 4;

/// The control store of a run, if it has one.
pub struct Control {
    place: Option<Place>,
    /// Whether the store is PostgreSQL, which all processes share.
    shared: bool,
    handle: Handle,
    fault: Fault,
}

/// What the workers have of it.
pub struct Ends {
    /// Who settles mapping rows.
    pub mapper: Option<Mapper>,
    /// How each worker hears of mapping rows.
    pub mapped: Vec<Option<Mapped>>,
}

impl Control {
    /// Starts to watch it.
    pub fn start(args: &RunArgs, config: &Config, fault: &Fault) -> Result<Control> {
        let place = Place::of(config, &args.store, args.cluster.process);
        let bars = chosen(&args.pipelines).contains(Pipeline::Citylens);
        let handle = if place.is_some() && bars { Handle::closed() } else { Handle::default() };
        if let Some(place) = place.clone() {
            let names = Names::new(config.kafka.topic_prefix.as_deref());
            let (interval, handle, fault) = (config.retry_interval, handle.clone(), fault.clone());
            Watch { place, interval, names, bars, handle, fault }.start()?;
        }
        let shared = matches!(place, Some(Place::Postgres(_)));
        Ok(Control { place, shared, handle, fault: fault.clone() })
    }

    /// What it tells the feeder and the pipeline.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Starts the threads that bring mapping rows to the workers. The embedded store is one process's, which writes for
    /// all: of several none settles rows, and the first asks for what is missing.
    pub fn map(&self, args: &RunArgs, config: &Config, gate: &Gate) -> Result<Ends> {
        let Share { count, .. } = share(args);
        let nothing = Ends { mapper: None, mapped: (0..count).map(|_| None).collect() };
        let Some(place) = self.place.as_ref().filter(|_| self.shared || args.cluster.process == 0) else {
            return Ok(nothing);
        };
        let loading = self.shared && args.cluster.process == 0;
        let (ways, arrivals): (Vec<SyncSender<Arrival>>, Vec<_>) =
            (0..count).map(|_| sync_channel(CHUNKS_AHEAD)).unzip();
        let Some(first) = ways.first().cloned() else { return Ok(nothing) };
        let settles = self.shared || args.cluster.processes == 1;
        let finds = Finds { rows: first, gate: gate.clone() };
        let mapper = Mapper::start(place, settles, config.retry_interval, Some(finds), self.fault.clone())?;
        if loading {
            let (place, interval, gate, fault) =
                (place.clone(), config.retry_interval, gate.clone(), self.fault.clone());
            Loader { place, interval, workers: ways, share: share(args), gate, fault }.start()?;
        }
        let mapped = arrivals.into_iter().map(|arrivals| Some(Mapped { arrivals, loading })).collect();
        Ok(Ends { mapper: Some(mapper), mapped })
    }
}

/// The workers of this process among all.
pub fn share(args: &RunArgs) -> Share {
    Share { first: args.cluster.first_worker(), count: args.cluster.workers, peers: args.cluster.peers() }
}
