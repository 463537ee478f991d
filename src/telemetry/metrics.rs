//! The metrics, each by its field: what it counts and in what unit stands in its help text.

use std::sync::LazyLock;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};

use super::labels::{Outcome, Partition, Pipeline, Server, Sink, State};
use super::process::Process;

/// A gauge of seconds.
type Seconds = Gauge<f64, AtomicU64>;

/// Bounds of sinks' times, s: from a local commit to a query that the server gives up.
const SINK_SECONDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// Bounds of batches, records.
const BATCH_RECORDS: [f64; 9] = [1.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_000.0, 10_000.0];

/// The metrics of this process.
pub struct Metrics {
    registry: Registry,
    /// Records read, each time they are read.
    pub records: Counter,
    /// Records of an epoch.
    pub batch_records: Histogram,
    /// Epochs that not every sink has acknowledged.
    pub epochs_in_flight: Gauge,
    /// Age of the oldest of them.
    pub frontier_lag: Seconds,
    /// Records of a partition not yet committed.
    pub lag_records: Family<Partition, Gauge>,
    /// Age of the newest committed record, where later ones wait.
    pub lag_seconds: Family<Partition, Seconds>,
    /// Partitions that this process reads.
    pub partitions: Gauge,
    /// Commits sent to the brokers.
    pub commits: Counter,
    /// What became of records.
    pub outcomes: Family<Outcome, Counter>,
    /// Partitions that stand still, of the whole cluster.
    pub stalls: Gauge,
    /// When a partition of the cluster came to stand still.
    pub stalled: Family<Partition, Seconds>,
    /// Time of a sink's commits.
    pub sink_time: Family<Sink, Histogram, fn() -> Histogram>,
    /// Rows handed to a sink and made durable.
    pub sink_rows: Family<Sink, Counter>,
    /// Batches that wait for a sink.
    pub sink_queue: Family<Sink, Gauge>,
    /// Attempts that a server did not answer.
    pub retries: Family<Server, Counter>,
    /// Alerts that a webhook has taken.
    pub alert_posts: Family<Server, Counter>,
    /// Attempts at it that have failed.
    pub alert_post_failures: Family<Server, Counter>,
    /// Alerts that are never posted.
    pub alerts_left_out: Family<Server, Counter>,
    /// Records too late for their windows.
    pub late: Family<Pipeline, Counter>,
    /// Objects put into the archive.
    pub archive_objects: Counter,
    /// Messages in them.
    pub archived_records: Counter,
    /// Their packed bytes.
    pub archived_bytes: Counter,
    /// Locations of cameras that are known.
    pub locations: Gauge,
    /// Attempts at reading them that failed.
    pub location_failures: Counter,
    /// Detections without the name of their location.
    pub unlocated: Gauge,
    /// What is remembered, in entries.
    pub state: Family<State, Gauge>,
}

/// The metrics of this process.
pub fn metrics() -> &'static Metrics {
    static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);
    &METRICS
}

impl Metrics {
    fn new() -> Self {
        let mut registry = Registry::with_prefix("hexflow");
        registry.register_collector(Box::new(Process));
        let r = &mut registry;
        let (records, rows, entries) = (|| Unit::Other("records".into()), || Unit::Other("rows".into()), "entries");
        Metrics {
            records: counted(r, "read", "Records read from the brokers", records()),
            batch_records: with_unit(r, "batch", "Records of an epoch", records(), Histogram::new(BATCH_RECORDS)),
            epochs_in_flight: plain(r, "epochs_in_flight", "Epochs that some sink has still to make durable"),
            frontier_lag: with_unit(r, "frontier_lag", "Age of the oldest epoch in flight", Unit::Seconds, default()),
            lag_records: with_unit(r, "lag", "Records of a partition not committed", records(), default()),
            lag_seconds: with_unit(
                r,
                "lag",
                "Age of the last record committed, where later ones wait",
                Unit::Seconds,
                default(),
            ),
            partitions: plain(r, "partitions", "Partitions that this process reads"),
            commits: plain(r, "commits", "Commits sent to the brokers"),
            outcomes: counted(r, "outcome", "What became of records; told by the first process for all", records()),
            stalls: plain(r, "stalls", "Partitions of the cluster that stand still"),
            stalled: with_unit(
                r,
                "stalled_since",
                "When a partition came to stand still, since the epoch",
                Unit::Seconds,
                default(),
            ),
            sink_time: with_unit(
                r,
                "sink_commit",
                "Time of a sink's commits",
                Unit::Seconds,
                Family::new_with_constructor(times),
            ),
            sink_rows: counted(r, "sink", "Rows that a sink has made durable", rows()),
            sink_queue: plain(r, "sink_queue", "Batches that wait for a sink"),
            retries: plain(r, "retries", "Attempts that a server did not answer"),
            alert_posts: plain(r, "alert_posts", "Alerts that a webhook has taken"),
            alert_post_failures: plain(r, "alert_post_failures", "Attempts at posting an alert that have failed"),
            alerts_left_out: plain(r, "alerts_left_out", "Alerts not posted, since too many waited for the webhook"),
            late: counted(
                r,
                "late",
                "Records too late for their windows; told by the first process for all",
                records(),
            ),
            archive_objects: plain(r, "archive_objects", "Objects put into the archive of raw messages"),
            archived_records: counted(r, "archived", "Messages put into the archive", records()),
            archived_bytes: with_unit(r, "archived", "Packed bytes put into the archive", Unit::Bytes, default()),
            locations: plain(r, "locations", "Locations of cameras that are known"),
            location_failures: plain(r, "location_failures", "Attempts at reading the locations that failed"),
            unlocated: plain(
                r,
                "unlocated_detections",
                "Detections whose location is not known; told by the first process for all",
            ),
            state: with_unit(r, "state", "What is remembered", Unit::Other(entries.into()), default()),
            registry,
        }
    }

    /// All of them, as Prometheus reads them.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// The form of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

fn times() -> Histogram {
    Histogram::new(SINK_SECONDS)
}

fn default<M: Default>() -> M {
    M::default()
}

fn plain<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

fn counted<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str, unit: Unit) -> M {
    with_unit(registry, name, help, unit, M::default())
}

fn with_unit<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, unit: Unit, metric: M) -> M {
    registry.register_with_unit(name, help, unit, metric.clone());
    metric
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_their_units_last() {
        let metrics = Metrics::new();
        metrics.records.inc_by(3);
        let partition = Partition { topic: "t".to_owned(), partition: 7 };
        metrics.lag_seconds.get_or_create(&partition).set(1.5);
        metrics.sink_time.get_or_create(&Sink { sink: "store".to_owned() }).observe(0.2);
        let text = metrics.text().expect("a text");
        for line in [
            "hexflow_read_records_total 3",
            "hexflow_lag_seconds{topic=\"t\",partition=\"7\"} 1.5",
            "hexflow_sink_commit_seconds_count{sink=\"store\"} 1",
            "hexflow_epochs_in_flight 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        metrics.lag_seconds.remove(&partition);
        assert!(!metrics.text().expect("a text").contains("partition=\"7\""), "a series goes with its partition");
    }
}
