//! Operators that hexflow's pipelines are made of. They know no wire format and do no I/O.
#![doc = ""]
pub mod batch;
pub use batch::Batch;
