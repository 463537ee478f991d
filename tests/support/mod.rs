//! What the families share: running the program, making its input, reading what it stored.

pub(crate) mod archive;
pub(crate) mod asked;
pub(crate) mod broken;
pub(crate) mod clickhouse;
pub(crate) mod cluster;
pub(crate) mod consumed;
pub(crate) mod dump;
pub(crate) mod emitted;
pub(crate) mod http;
pub(crate) mod judge;
pub(crate) mod kafka;
pub(crate) mod place;
pub(crate) mod ports;
pub(crate) mod postgres;
pub(crate) mod readings;
pub(crate) mod record;
pub(crate) mod run;
pub(crate) mod s3;
pub(crate) mod sample;
pub(crate) mod scene;
pub(crate) mod schema;
pub(crate) mod served;
pub(crate) mod store;
pub(crate) mod varied;
pub(crate) mod webhook;
pub(crate) mod windows;
