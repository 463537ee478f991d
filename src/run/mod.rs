//! `hexflow run`: topics of Kafka through the pipelines, into a store, until it is told to stop.

pub mod args;
pub mod beats;
pub mod control;
pub mod dataflow;
pub mod live;
pub mod located;
pub mod signals;
pub mod watchdog;

pub use args::RunArgs;
pub use live::run;
