//! hexflow: a geospatial event pipeline on timely and differential dataflow.
//!
//! This crate is the program: command line, configuration, sources, sinks, and what puts them together. The pipelines are
//! in [`hexflow_dataflows`], their operators in [`hexflow_operators`].

pub mod alerts;
pub mod api;
pub mod archive;
pub mod bench;
pub mod board;
pub mod buffers;
pub mod check;
pub mod cli;
pub mod clickhouse;
pub mod cluster;
pub mod config;
pub mod control;
pub mod dlq;
pub mod dump;
pub mod fault;
pub mod flow;
pub mod generate;
pub mod history;
pub mod locations;
pub mod migrate;
pub mod objects;
pub mod outgoing;
pub mod patience;
pub mod progress;
pub mod query;
pub mod replay;
pub mod restored;
pub mod run;
pub mod serve;
pub mod sinks;
pub mod sources;
pub mod tables;
pub mod telemetry;
pub mod totals;
