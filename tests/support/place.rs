//! A fresh place for a run: its store, its objects, its input, what it emits.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::dump;
use super::record::Record;
use super::run::Run;
use super::store::Store;

/// A folder of its own, gone when dropped.
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Place {
        Place { dir: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A path in the place.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path("hexflow.db")
    }

    pub(crate) fn objects(&self) -> PathBuf {
        self.path("objects")
    }

    /// A folder with `records` in it, one file a topic.
    pub(crate) fn input(&self, name: &str, records: &[Record]) -> PathBuf {
        let folder = self.path(name);
        dump::write_folder(&folder, records, "");
        folder
    }

    /// `replay` into the place's store, with the summary as JSON; the paths are to be added.
    pub(crate) fn replay(&self) -> Run {
        self.replay_into(&format!("sqlite:{}", self.database().display()))
    }

    /// `replay` into another store.
    pub(crate) fn replay_into(&self, store: &str) -> Run {
        let objects = format!("object_store.url=file://{}", self.objects().display());
        Run::new("replay").args(["--summary", "json", "--store", store, "--set", &objects])
    }

    /// Replays records to a good end; the summary.
    pub(crate) fn replay_records(&self, name: &str, records: &[Record]) -> serde_json::Value {
        self.replay().arg(self.input(name, records)).summary()
    }

    /// What was stored.
    pub(crate) fn store(&self) -> Store {
        Store::open(&self.database())
    }
}

/// The path as an argument of a text.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}
