//! Several workers and processes: what can be typed of them, and how they find each other.

pub mod args;
pub mod connect;
pub mod launch;

pub use args::ClusterArgs;
