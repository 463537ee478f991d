//! Reads objects: which there are, and what they hold.

use anyhow::Result;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{Error, ObjectMeta, ObjectStore, ObjectStoreExt};

use super::failure;
use super::store::{AT_ONCE, Store, path_of};

/// An object that is there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its name below the store's prefix.
    pub name: String,
    /// Its length, bytes.
    pub bytes: u64,
}

impl Store {
    /// As it is shown.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The objects in the folder `under` and its folders, by name; with `after` those only whose names are greater. Waits while
    /// the store is away.
    pub fn list(&mut self, under: &str, after: Option<&str>) -> Result<Vec<Listed>> {
        let Store { opened, is_local, runtime, patience, shown } = self;
        let folder = path_of(opened, shown, under)?;
        let after = after.map(|name| path_of(opened, shown, name)).transpose()?;
        let found: Vec<ObjectMeta> = patience.until_answered("list objects", |_| {
            let found = match &after {
                Some(after) => opened.store.list_with_offset(Some(&folder), after),
                None => opened.store.list(Some(&folder)),
            };
            runtime.block_on(found.try_collect()).map_err(|error| failure::of(&error, *is_local))
        })?;
        let name = |path: &Path| {
            let path = path.as_ref();
            path.strip_prefix(opened.prefix.as_ref()).unwrap_or(path).trim_start_matches('/').to_owned()
        };
        let mut listed: Vec<_> =
            found.iter().map(|meta| Listed { name: name(&meta.location), bytes: meta.size }).collect();
        listed.sort();
        Ok(listed)
    }

    /// What the objects of these names hold, in their order; `None` for one that is not there. Many are asked for at once, and
    /// all are held in memory. Waits while the store is away.
    pub fn get_all(&mut self, names: &[&str]) -> Result<Vec<Option<Vec<u8>>>> {
        let Store { opened, is_local, runtime, patience, shown } = self;
        let paths: Vec<Path> = names.iter().map(|name| path_of(opened, shown, name)).collect::<Result<_>>()?;
        patience.until_answered("read an object", |_| {
            let all = stream::iter(&paths).map(|path| get(&*opened.store, path)).buffered(AT_ONCE);
            runtime.block_on(all.try_collect()).map_err(|error| failure::of(&error, *is_local))
        })
    }
}

async fn get(store: &dyn ObjectStore, path: &Path) -> object_store::Result<Option<Vec<u8>>> {
    let found = async { store.get(path).await?.bytes().await };
    match found.await {
        Ok(bytes) => Ok(Some(bytes.into())),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
