//! The settings themselves, typed; what each may hold is in `rules`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::{AlertRule, LogFormat, LogLevel, OnMalformed, Origin, Properties, Secret, SecretUrl};

/// All settings of a process. Durations are whole milliseconds; no secret shows in `Debug`.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The `env` header of the messages to process; others are acknowledged and ignored.
    pub env: String,
    /// What becomes of a record that cannot be understood.
    pub on_malformed: OnMalformed,
    /// Time between two attempts at a stalled record or an absent server.
    pub retry_interval: Duration,
    /// Time for which a run may make no progress, and nothing explains it, before its process ends.
    pub progress_timeout: Duration,
    /// What a run says.
    pub log: Log,
    /// The brokers, and how the citylens topics are consumed.
    pub kafka: Kafka,
    /// The store of rows.
    pub clickhouse: ClickHouse,
    /// The store of the track mapping.
    pub postgres: Postgres,
    /// The store of detailed GPS.
    pub object_store: ObjectStore,
    /// The archive of raw messages.
    pub archive: Archive,
    /// The memory of keys already seen.
    pub dedup: Dedup,
    /// Detections grouped into objects.
    pub objects: Objects,
    /// Photos grouped into events.
    pub photos: Photos,
    /// Speeds over rolling windows.
    pub sensors: Sensors,
    /// Detections of stationary cameras.
    pub cameras: Cameras,
    /// Alerts over figures of windows.
    pub alerts: Alerts,
    /// The web API and its page.
    pub api: Api,
    /// Where values came from, by key; a key that is absent has its default.
    pub(super) origins: BTreeMap<&'static str, Origin>,
}

/// The log of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// The form of its lines.
    pub format: LogFormat,
    /// The least that it tells.
    pub level: LogLevel,
}

/// Kafka, as a consumer and a producer.
#[derive(Clone, Debug, PartialEq)]
pub struct Kafka {
    /// Brokers to ask first, `host:port`, separated by commas.
    pub brokers: String,
    /// The consumer group, by which processes share partitions.
    pub group: String,
    /// What stands before each topic's name on the brokers; without it the names are the contract's.
    pub topic_prefix: Option<String>,
    /// Whether a run sends on what it has stored, and sets malformed records aside.
    pub send: bool,
    /// How the citylens topics are consumed.
    pub citylens: Batching,
    /// Handed to librdkafka as they are: TLS, SASL, and whatever else it knows.
    pub properties: Properties,
}

/// How records are gathered into batches.
#[derive(Clone, Debug, PartialEq)]
pub struct Batching {
    /// Records in one batch, at most.
    pub batch_size: usize,
    /// Batches that a process gathers at once; together they are an epoch.
    pub max_concurrency: usize,
    /// Milliseconds that a batch waits to be filled.
    pub linger_ms: u64,
}

/// ClickHouse, over HTTP.
#[derive(Clone, Debug, PartialEq)]
pub struct ClickHouse {
    /// `http://` or `https://` address, without credentials.
    pub url: String,
    /// The database that holds the tables.
    pub database: String,
    /// Who asks.
    pub user: String,
    /// The user's password; may be empty.
    pub password: Secret,
    /// The cluster in which tables are replicated; without it they are on one server.
    pub cluster: Option<String>,
}

/// PostgreSQL.
#[derive(Clone, Debug, PartialEq)]
pub struct Postgres {
    /// `postgres://` address or `key=value` pairs, either with a password or without; without it the embedded store, if
    /// there is one, holds what is controlled.
    pub url: Option<SecretUrl>,
}

/// A folder or an S3 bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectStore {
    /// `file:///folder` or `s3://bucket/prefix`; without it detailed GPS is not kept.
    pub url: Option<String>,
    /// `http://` or `https://` address of an S3 server other than Amazon's.
    pub endpoint: Option<String>,
    /// S3 access key.
    pub access_key: Option<Secret>,
    /// S3 secret key.
    pub secret_key: Option<Secret>,
}

/// The archive of raw messages, in a folder or an S3 bucket, which is asked as the object store's settings say.
#[derive(Clone, Debug, PartialEq)]
pub struct Archive {
    /// `file:///folder` or `s3://bucket/prefix`; without it nothing is archived.
    pub url: Option<String>,
    /// The topics' names, separated by commas.
    pub topics: String,
    /// Time after which what was gathered of a partition is archived.
    pub roll_interval: Duration,
    /// Packed bytes that a process gathers before it archives its fullest partition.
    pub roll_bytes: usize,
}

/// The memory of keys already seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Dedup {
    /// Event time for which a key is remembered.
    pub window: Duration,
}

/// Detections grouped into objects.
#[derive(Clone, Debug, PartialEq)]
pub struct Objects {
    /// Distance within which two detections are neighbours, in metres.
    pub eps_meters: f64,
    /// Neighbours that make a detection the core of an object, itself included.
    pub min_points: usize,
}

/// Photos grouped into events.
#[derive(Clone, Debug, PartialEq)]
pub struct Photos {
    /// Distance within which photos belong together, in metres.
    pub radius_meters: f64,
    /// Time within which photos belong together.
    pub window: Duration,
    /// Photos that make an event.
    pub min_photos: usize,
}

/// Speeds over rolling windows.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensors {
    /// Length of a window.
    pub window: Duration,
    /// Time between the ends of two windows.
    pub slide: Duration,
    /// Silence after which a traveler has left.
    pub visit_gap: Duration,
    /// Event time for which readings that come late still count.
    pub lateness: Duration,
}

/// Detections of stationary cameras.
#[derive(Clone, Debug, PartialEq)]
pub struct Cameras {
    /// Length of a window; windows do not overlap.
    pub window: Duration,
    /// Event time for which a closed window still accepts corrections.
    pub lateness: Duration,
    /// How long ClickHouse keeps a detection once it is written, if that is longer than `lateness`.
    pub keep: Duration,
    /// Locations: a CSV file, a file that ends in `.parquet`, or `postgres:TABLE`.
    pub locations: Option<String>,
    /// `file:///folder` or `s3://bucket/prefix` of rows that nothing changes any more, as Parquet files; asked as the object
    /// store's settings say.
    pub history: Option<String>,
    /// Event time that is written there at once, at most.
    pub history_step: Duration,
    /// Rows that are written there at once, about.
    pub history_rows: u64,
    /// Time between two looks of a run whether they have changed.
    pub refresh: Duration,
}

/// Alerts over figures of windows.
#[derive(Clone, Debug, PartialEq)]
pub struct Alerts {
    /// Event time that data are waited for before a window is judged.
    pub wait: Duration,
    /// A partition that is this much behind the foremost in event time is not waited for.
    pub idle: Duration,
    /// Where alerts are posted to whose rules say nothing else. The whole address is secret: it often has a token.
    pub webhook: Option<Secret>,
    /// The rules, by name.
    pub(super) rules: BTreeMap<String, AlertRule>,
}

/// The web API and its page.
#[derive(Clone, Debug, PartialEq)]
pub struct Api {
    /// Address and port to listen on.
    pub listen: SocketAddr,
}
