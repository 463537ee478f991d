//! What a run writes beside its servers' tables: the store, if it is a file, and the objects.

use std::fs::File;
use std::path::Path;

use super::{Check, told};
use crate::config::Config;
use crate::objects;
use crate::replay::args::Store;

/// Looks whether the store, where it is a file, the object store, the archive and the history can be written to.
pub fn checks(store: &Store, config: &Config) -> Vec<Check> {
    let store = match store {
        Store::Sqlite(path) => Some(Check::new(format!("store {}", path.display()), file(path))),
        Store::Ndjson(folder) => Some(Check::new(format!("store {}", folder.display()), in_folder(folder))),
        Store::ClickHouse | Store::Null => None,
    };
    let places = [
        ("object store", &config.object_store.url),
        ("archive", &config.archive.url),
        ("history of cameras", &config.cameras.history),
    ];
    let places = places.into_iter().filter_map(|(what, url)| Some(place(what, url.as_deref()?, config)));
    store.into_iter().chain(places).collect()
}

/// Whether objects can be put at a URL.
fn place(what: &str, url: &str, config: &Config) -> Check {
    match objects::Place::parse(url) {
        Ok(objects::Place::Folder(folder)) => Check::new(format!("{what} {}", folder.display()), in_folder(&folder)),
        Ok(place) => Check::new(format!("{what} {}", place.shown()), bucket(&place, config)),
        Err(error) => Check::new(what, Err(format!("{error:#}"))),
    }
}

/// Whether an object can be put into a bucket.
fn bucket(place: &objects::Place, config: &Config) -> Result<String, String> {
    let store = objects::Store::open(place, config).map_err(|error| format!("{error:#}"))?;
    store.probe().map(|()| "can be written".to_owned()).map_err(told)
}

/// Whether a file can be written to, or made.
fn file(path: &Path) -> Result<String, String> {
    if path.exists() {
        let opened = File::options().read(true).write(true).open(path);
        return opened.map(|_| "can be written".to_owned()).map_err(|error| format!("{error}; check its permissions"));
    }
    in_folder(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// Whether files can be made in a folder, or in the one in which it will be made.
fn in_folder(folder: &Path) -> Result<String, String> {
    let there = folder.ancestors().find(|folder| folder.exists() || folder.as_os_str().is_empty());
    let there = there.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // It is gone at once.
    let made = tempfile::tempfile_in(there).map(|_| "can be written".to_owned());
    made.map_err(|error| format!("cannot make a file in {}: {error}; check its permissions and room", there.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_there_or_can_be_made_are_well() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hexflow.db");
        assert!(file(&path).is_ok() && !path.exists());
        std::fs::write(&path, "").unwrap();
        assert!(file(&path).is_ok());
        assert!(in_folder(&folder.path().join("a/b")).is_ok() && !folder.path().join("a").exists());
        // A file is no folder.
        assert!(in_folder(&path.join("objects")).is_err());
        assert!(file(Path::new("plain.db")).is_ok());
    }
}
