//! The table of keys: one line each, from which reading, errors, suggestions and rendering all come.

use super::Config;
use super::field::Field;

/// A setting by name.
pub(super) struct Key {
    /// As written in a file and after `--set`, parts separated by dots.
    pub(super) name: &'static str,
    /// What it is, and its unit: one line.
    pub(super) comment: &'static str,
    /// Its place in the configuration.
    pub(super) field: fn(&mut Config) -> &mut dyn Field,
}

/// What the names of librdkafka's own properties follow.
pub(super) const PROPERTIES: &str = "kafka.properties.";

/// The name is the field's own path, so that the two cannot part.
macro_rules! key {
    ($first:ident $(. $rest:ident)*, $comment:literal) => {
        Key {
            name: concat!(stringify!($first) $(, ".", stringify!($rest))*),
            comment: $comment,
            field: |config| &mut config.$first $(. $rest)*,
        }
    };
}

/// Every key, in the order shown.
pub(super) static KEYS: &[Key] = &[
    key!(env, "the `env` header of the messages to process; others are acknowledged and ignored"),
    key!(on_malformed, "what becomes of a record that cannot be understood: stall or dead_letter"),
    key!(retry_interval, "time between two attempts at a stalled record or an absent server"),
    key!(
        progress_timeout,
        "time for which a run may make no progress, and nothing explains it, before its process ends"
    ),
    key!(log.format, "form of the log's lines: text or json"),
    key!(log.level, "the least that is logged: error, warn, info, debug or trace"),
    key!(kafka.brokers, "brokers to ask first, host:port, separated by commas"),
    key!(kafka.group, "consumer group, by which processes share partitions"),
    key!(kafka.topic_prefix, "what stands before each topic's name on the brokers; empty: nothing"),
    key!(kafka.send, "whether a run sends messages on to the outgoing topics: true or false"),
    key!(kafka.citylens.batch_size, "records in one batch, at most"),
    key!(kafka.citylens.max_concurrency, "batches that a process gathers at once; together they are an epoch"),
    key!(kafka.citylens.linger_ms, "milliseconds that a batch waits to be filled"),
    key!(clickhouse.url, "address of ClickHouse over HTTP, without credentials"),
    key!(clickhouse.database, "database that holds the tables"),
    key!(clickhouse.user, "user of ClickHouse"),
    key!(clickhouse.password, "the user's password; may be empty"),
    key!(clickhouse.cluster, "cluster in which tables are replicated; empty: on one server"),
    key!(postgres.url, "address of PostgreSQL: postgres://user:password@host:port/database; empty: none"),
    key!(object_store.url, "store of detailed GPS: file:///folder or s3://bucket/prefix; empty: not kept"),
    key!(object_store.endpoint, "address of an S3 server other than Amazon's; empty: Amazon's"),
    key!(object_store.access_key, "S3 access key"),
    key!(object_store.secret_key, "S3 secret key"),
    key!(archive.url, "archive of raw messages: file:///folder or s3://bucket/prefix; empty: none"),
    key!(archive.topics, "topics to archive, separated by commas, without kafka.topic_prefix"),
    key!(archive.roll_interval, "time after which what was gathered of a partition is archived"),
    key!(archive.roll_bytes, "packed bytes that a process gathers before it archives its fullest partition"),
    key!(dedup.window, "event time for which a key is remembered"),
    key!(objects.eps_meters, "distance within which two detections are neighbours, in metres"),
    key!(objects.min_points, "neighbours that make a detection the core of an object, itself included"),
    key!(photos.radius_meters, "distance within which photos belong together, in metres"),
    key!(photos.window, "time within which photos belong together"),
    key!(photos.min_photos, "photos that make an event"),
    key!(sensors.window, "length of a window"),
    key!(sensors.slide, "time between the ends of two windows"),
    key!(sensors.visit_gap, "silence after which a traveler has left"),
    key!(sensors.lateness, "event time for which readings that come late still count"),
    key!(cameras.window, "length of a window; windows do not overlap"),
    key!(cameras.lateness, "event time for which a closed window still accepts corrections"),
    key!(cameras.keep, "time for which ClickHouse keeps a detection once it is written; at least cameras.lateness"),
    key!(
        cameras.locations,
        "camera locations: a CSV file, a file that ends in .parquet, or postgres:TABLE at postgres.url; empty: none"
    ),
    key!(
        cameras.history,
        "where rows of cameras that nothing changes any more are kept as Parquet files by day: file:///folder or \
         s3://bucket/prefix; empty: nowhere"
    ),
    key!(cameras.history_step, "event time that is written into the history at once, at most"),
    key!(
        cameras.history_rows,
        "rows that are written into the history at once, about: where there are as many, sooner"
    ),
    key!(cameras.refresh, "time between two looks of a run whether the camera locations have changed"),
    key!(alerts.wait, "event time that data are waited for before a window is judged by the rules of alerts"),
    key!(alerts.idle, "a partition that is this much behind the foremost in event time is not waited for"),
    key!(alerts.webhook, "address that alerts are posted to; empty: none"),
    key!(api.listen, "address and port of the web API"),
];

impl Key {
    /// The key of that name.
    pub(super) fn find(name: &str) -> Option<&'static Key> {
        KEYS.iter().find(|key| key.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_path_of_its_field_and_stands_once() {
        assert!(Key::find("kafka.citylens.batch_size").is_some());
        assert!(KEYS.iter().enumerate().all(|(n, key)| KEYS[n + 1..].iter().all(|other| other.name != key.name)));
    }

    #[test]
    fn a_comment_is_one_line() {
        assert!(KEYS.iter().all(|key| !key.comment.is_empty() && !key.comment.contains('\n')));
    }
}
