//! hexflow from outside: the program is run on dumps, and what it stores is held against an oracle.
//!
//! Each family is a file, named by what it can catch.

mod oracle;
mod support;

mod alerts;
mod alerts_live;
mod archive;
mod broken_files;
mod broken_input;
mod broken_store;
mod camera_locations;
mod cameras;
mod check;
mod clickhouse;
mod clickhouse_away;
mod clickhouse_windows;
mod command_line;
mod configuration;
mod dead_letter;
mod emit;
mod failures;
mod generated;
mod history;
mod input_forms;
mod kafka;
mod kafka_dead_letters;
mod kafka_outgoing;
mod kafka_stalls;
mod kafka_stops;
mod kafka_windows;
mod late_mapping;
mod life;
mod migrate_topics;
mod object_store;
mod postgres;
mod postgres_away;
mod postgres_live;
mod queries;
mod queries_clickhouse;
mod queries_refused;
mod replay_matches_oracle;
mod restart;
mod sensors;
mod skips;
mod stalls;
mod stores;
mod tidy;
mod whole;
