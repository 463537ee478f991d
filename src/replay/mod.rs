//! `hexflow replay`: topic dumps through the pipelines, into a store.

pub mod args;
pub mod bar;
pub mod control;
pub mod dataflow;
pub mod outputs;
pub mod plan;
pub mod run;
pub mod settings;
pub mod summary;

pub use args::ReplayArgs;
pub use run::run;
