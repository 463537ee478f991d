//! What a replay has to do with the control store: the mapping in PostgreSQL, what is to be skipped, and where it ended.

use anyhow::Result;
use hexflow_dataflows::decode::Stall;
use hexflow_dataflows::rows::track_key;

use super::args::ReplayArgs;
use super::plan::Plan;
use crate::config::Config;
use crate::control::handle::Partitions;
use crate::control::watch::Book;
use crate::control::{Mapper, Place};
use crate::fault::Fault;
use crate::patience::{Failure, Patience};
use crate::sources::kafka::names::Names;

/// Reads what the plan needs of the control store; the mapper of the run, if mapping rows are to be settled there.
///
/// Waits while the server is away. A dry run settles none.
pub fn prepare(args: &ReplayArgs, config: &Config, plan: &mut Plan, fault: &Fault) -> Result<Option<Mapper>> {
    let Some(place) = place(args, config) else { return Ok(None) };
    let mut store = place.open().map_err(Failure::told)?;
    let mut patience = Patience::new(store.name().to_owned(), config.retry_interval);
    let names = Names::new(config.kafka.topic_prefix.as_deref());
    let skips = patience.until_answered("read skipped_offsets", |_| store.skips())?;
    plan.settings.decode.skips.add(skips.iter().filter_map(|skip| skip.position(&names)));
    if !matches!(place, Place::Postgres(_)) {
        return Ok(None); // the sink of rows keeps the mapping
    }
    if args.cluster.process == 0 {
        let stored = &mut plan.before.mapping;
        patience.until_answered("load the mapping", |_| {
            stored.clear();
            store.each_mapping(&mut |track, axion| stored.push((track_key(track), axion.as_u128())))
        })?;
    }
    let settled = !args.dry_run;
    settled.then(|| Mapper::start(&place, true, config.retry_interval, None, fault.clone())).transpose()
}

/// Writes down where partitions stand in the embedded store, for `hexflow stalls`. In a store that live runs share they
/// are theirs to tell.
pub fn finish(args: &ReplayArgs, config: &Config, stalls: &[Stall]) -> Result<()> {
    let Some(place @ Place::Sqlite { .. }) = place(args, config).filter(|_| !args.dry_run && args.cluster.process == 0)
    else {
        return Ok(());
    };
    let mut store = place.open().map_err(Failure::told)?;
    let mut book = Book::new(Names::new(config.kafka.topic_prefix.as_deref()));
    let standing = book.standing(&Partitions { stalls: stalls.to_vec(), ..Partitions::default() });
    let before = store.standing().map_err(Failure::told)?;
    let gone: Vec<_> = before.into_iter().map(|row| (row.topic, row.partition)).collect();
    if gone.is_empty() && standing.is_empty() {
        return Ok(());
    }
    store
        .write_standing(&gone, &standing)
        .map_err(|failure| failure.told_of("tell of stalled partitions", store.name()))
}

/// Where the control tables are. A dry run touches no file, and a process of another machine does not have it.
fn place(args: &ReplayArgs, config: &Config) -> Option<Place> {
    let place = Place::of(config, &args.store, args.cluster.process)?;
    match &place {
        Place::Sqlite { path, create } => (!args.dry_run && (*create || path.exists())).then_some(place),
        Place::Postgres(_) => Some(place),
    }
}
