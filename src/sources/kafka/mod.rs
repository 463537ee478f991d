//! Records from Kafka: one member of the consumer group a process, which deals what it reads to its workers by partition.
//!
//! ```text
//!                 feeder, a thread                              workers
//!   brokers --> consumer --> batch ----- gate: (epoch, batch) ----> source ----> the dataflow ----> sinks
//!                  ^           |          a channel a worker                         |
//!    pause, seek --+--------- ledger <------------- news: frontier, stalls ----------+
//!    commit            (what is in flight)
//! ```
//! The client library blocks, so it has a thread of its own. One consumer a process, not one a worker: the group then has
//! fewer members to balance, and a partition's records can go to the worker that owns its tracks.
//!
//! An offset is committed once the frontier behind all sinks has passed the epoch of every record below it, and the
//! stalls known by then have capped it: see [`ledger`].

pub mod batch;
pub mod brokers;
pub mod client;
pub mod commits;
pub mod context;
pub mod controlled;
pub mod errors;
pub mod feeder;
pub mod from;
pub mod gate;
pub mod gather;
pub mod lag;
pub mod ledger;
pub mod names;
pub mod retries;
pub mod source;
pub mod stalled;
pub mod start;
pub mod watch;
