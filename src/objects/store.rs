//! Puts objects, many at once, until all are kept.

use std::sync::Arc;

use anyhow::{Context, Result};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use super::failure;
use super::place::{Opened, Place};
use crate::config::Config;
use crate::patience::Failure;
use crate::patience::Patience;

/// Objects on their way at a time.
pub(super) const AT_ONCE: usize = 32;

/// An object and its name below the store's prefix.
pub type Object = (String, Vec<u8>);

/// A place to keep objects.
pub struct Store {
    pub(super) opened: Opened,
    pub(super) is_local: bool,
    pub(super) shown: String,
    pub(super) runtime: Runtime,
    pub(super) patience: Patience,
}

impl Store {
    /// The store at `place`; sends nothing yet. Fails if the configuration does not make a client.
    pub fn open(place: &Place, config: &Config) -> Result<Self> {
        Store::opened(place, config, false)
    }

    /// The same; what is put into a folder outlives a loss of power, too.
    pub fn open_synced(place: &Place, config: &Config) -> Result<Self> {
        Store::opened(place, config, true)
    }

    fn opened(place: &Place, config: &Config, synced: bool) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().context("cannot start a runtime")?;
        let shown = place.shown();
        Ok(Store {
            opened: place.open(&config.object_store, synced)?,
            is_local: place.is_local(),
            runtime,
            patience: Patience::new(format!("the object store {shown}"), config.retry_interval),
            shown,
        })
    }

    /// Puts `objects` and returns when all are kept; fails with what no second attempt would mend.
    pub fn put_all(&mut self, objects: Vec<Object>) -> Result<()> {
        let Store { opened, is_local, runtime, patience, shown } = self;
        let mut left: Vec<(Path, PutPayload)> = Vec::with_capacity(objects.len());
        for (name, bytes) in objects {
            left.push((path_of(opened, shown, &name)?, PutPayload::from(bytes)));
        }
        patience.until_answered("write an object", |_| {
            let (failed, why) = runtime.block_on(put_each(opened, std::mem::take(&mut left)));
            left = failed;
            why.map_or(Ok(()), |error| Err(failure::of(&error, *is_local)))
        })
    }

    /// Takes away the objects of these names; one that is not there is none to take away. Waits while the store is away.
    pub fn delete_all(&mut self, names: &[String]) -> Result<()> {
        let Store { opened, is_local, runtime, patience, shown } = self;
        let paths: Vec<Path> = names.iter().map(|name| path_of(opened, shown, name)).collect::<Result<_>>()?;
        patience.until_answered("take an object away", |_| {
            let each = paths.iter().try_for_each(|path| match runtime.block_on(opened.store.delete(path)) {
                Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(error),
            });
            each.map_err(|error| failure::of(&error, *is_local))
        })
    }

    /// Puts one small object and takes it away again: tells whether the store can be written.
    pub fn probe(&self) -> Result<(), Failure> {
        let path = Path::from(format!("{}/hexflow-check-{}", self.opened.prefix, std::process::id()));
        let store = &self.opened.store;
        let done = self.runtime.block_on(async {
            store.put(&path, PutPayload::from_static(b"{}")).await?;
            store.delete(&path).await
        });
        done.map_err(|error| failure::of(&error, self.is_local))
    }
}

/// Where an object of that name lies.
pub(super) fn path_of(opened: &Opened, shown: &str, name: &str) -> Result<Path> {
    Path::parse(format!("{}/{name}", opened.prefix.as_ref().trim_end_matches('/')))
        .with_context(|| format!("{name:?} cannot name an object of {shown}"))
}

/// Puts each once; returns those that are not kept, with the first error.
async fn put_each(to: &Opened, objects: Vec<(Path, PutPayload)>) -> (Vec<(Path, PutPayload)>, Option<Error>) {
    let (mut under_way, mut left, mut first) = (JoinSet::new(), Vec::new(), None);
    let mut objects = objects.into_iter();
    loop {
        while under_way.len() < AT_ONCE
            && first.is_none()
            && let Some((path, payload)) = objects.next()
        {
            let (store, mode) = (Arc::clone(&to.store), to.mode.clone());
            under_way.spawn(async move {
                let done = put(&*store, &path, payload.clone(), mode).await;
                (path, payload, done)
            });
        }
        match under_way.join_next().await {
            Some(Ok((path, payload, Err(error)))) => {
                first.get_or_insert(error);
                left.push((path, payload));
            }
            Some(_) => {}
            None => break,
        }
    }
    left.extend(objects);
    (left, first)
}

async fn put(store: &dyn ObjectStore, path: &Path, payload: PutPayload, mode: PutMode) -> object_store::Result<()> {
    match store.put_opts(path, payload, PutOptions::from(mode)).await {
        Ok(_) | Err(Error::AlreadyExists { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
