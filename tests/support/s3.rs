//! A real S3 server, one for each test that asks for it.

use std::path::PathBuf;

use super::place::{Place, shown};
use super::ports::free_ports;
use super::run::Run;
use super::served::Served;

/// The bucket that the server has.
const BUCKET: &str = "bucket";

/// A server whose bucket holds a place's objects.
pub(crate) struct S3 {
    served: Served,
    port: u16,
    dir: PathBuf,
}

impl S3 {
    /// Starts one that keeps its objects in `place`.
    pub(crate) fn start(place: &Place) -> S3 {
        let (dir, port) = (place.path("s3"), free_ports());
        let served = Served::start("s3", &[&shown(&dir), &port.to_string(), BUCKET]);
        S3 { served, port, dir }
    }

    /// Has it do something, and waits until it is done.
    pub(crate) fn order(&mut self, order: &str) {
        self.served.order(order);
    }

    /// The folder where objects of a prefix lie.
    pub(crate) fn objects(&self, prefix: &str) -> PathBuf {
        self.dir.join("data").join(BUCKET).join(prefix)
    }

    /// Tells a run to keep its objects there; later arguments win over earlier ones.
    pub(crate) fn keeps_objects_of(&self, run: Run, place: &str) -> Run {
        self.reaches(run).args(["--set".to_owned(), format!("object_store.url=s3://{place}")])
    }

    /// Tells a run how the server is reached.
    pub(crate) fn reaches(&self, run: Run) -> Run {
        let endpoint = format!("object_store.endpoint=http://127.0.0.1:{}", self.port);
        let keys = ["object_store.access_key=hexflow-test-key", "object_store.secret_key=hexflow-test-secret"];
        std::iter::once(endpoint.as_str()).chain(keys).fold(run, |run, set| run.args(["--set", set]))
    }
}
