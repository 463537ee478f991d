//! The control tables: what `hexflow migrate` makes, and what it expects of those that are there.

/// A table.
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What makes it.
    pub create: &'static str,
    /// Its columns, and the types that they may have, as `information_schema` names them.
    pub columns: &'static [(&'static str, &'static [&'static str])],
    /// The columns of each of its unique keys; the first is the primary key.
    pub keys: &'static [&'static [&'static str]],
}

const TEXT: &[&str] = &["text", "character varying"];
const INTEGER: &[&str] = &["integer", "bigint"];
const TIME: &[&str] = &["timestamp with time zone"];

/// All of them.
pub static TABLES: [Table; 4] = [
    Table {
        name: "citylens_track_mapping",
        create: "CREATE TABLE IF NOT EXISTS citylens_track_mapping (
    citylens_track_id text PRIMARY KEY,
    axion_track_id uuid NOT NULL UNIQUE,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    source text NOT NULL CHECK (source IN ('migration', 'realtime'))
)",
        columns: &[("citylens_track_id", TEXT), ("axion_track_id", &["uuid"]), ("created_at", TIME), ("source", TEXT)],
        keys: &[&["citylens_track_id"], &["axion_track_id"]],
    },
    Table {
        name: "migration_state",
        create: "CREATE TABLE IF NOT EXISTS migration_state (
    initial_migration_done boolean NOT NULL DEFAULT false
)",
        columns: &[("initial_migration_done", &["boolean"])],
        keys: &[],
    },
    Table {
        name: "skipped_offsets",
        create: "CREATE TABLE IF NOT EXISTS skipped_offsets (
    topic text NOT NULL,
    partition integer NOT NULL,
    \"offset\" bigint NOT NULL,
    reason text NOT NULL,
    by text NOT NULL,
    at timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, \"offset\")
)",
        columns: &[
            ("topic", TEXT),
            ("partition", INTEGER),
            ("offset", &["bigint"]),
            ("reason", TEXT),
            ("by", TEXT),
            ("at", TIME),
        ],
        keys: &[&["topic", "partition", "offset"]],
    },
    Table {
        name: "stalled_partitions",
        create: "CREATE TABLE IF NOT EXISTS stalled_partitions (
    topic text NOT NULL,
    partition integer NOT NULL,
    \"offset\" bigint NOT NULL,
    reason text NOT NULL,
    head text NOT NULL,
    since timestamp with time zone NOT NULL,
    by text NOT NULL,
    PRIMARY KEY (topic, partition)
)",
        columns: &[
            ("topic", TEXT),
            ("partition", INTEGER),
            ("offset", &["bigint"]),
            ("reason", TEXT),
            ("head", TEXT),
            ("since", TIME),
            ("by", TEXT),
        ],
        keys: &[&["topic", "partition"]],
    },
];

/// Says that the initial migration is still to be done, where nothing says so or otherwise.
pub const FIRST_STATE: &str = "INSERT INTO migration_state (initial_migration_done) \
                               SELECT false WHERE NOT EXISTS (SELECT FROM migration_state)";
