//! Outgoing topics and dead letters in Kafka: what is acknowledged here the brokers have on all replicas that are in sync.
//!
//! ```text
//!   rows --> messages (a block) --> outbox --> courier: one idempotent producer --> brokers
//!                                     |            ^                                  |
//!                                     +-- again ---+<---- deliveries, failures -------+
//!                                (kept until all are acknowledged)
//! ```
//! The producer is idempotent and its messages never expire, so while brokers are away it keeps them in order and sends them
//! when they are back. What it does fail with is told apart in [`failure`].

pub mod client;
pub mod context;
pub mod courier;
pub mod failure;
pub mod outbox;
pub mod sink;
pub mod stuck;
pub mod topics;

pub use outbox::Outbox;
pub use sink::Kafka;
