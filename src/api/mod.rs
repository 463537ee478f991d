//! What a run answers over HTTP: whether it lives, whether it is ready, its metrics, its alerts, its stalls, its version.

pub mod health;
pub mod server;
pub mod stalls;

pub use server::start;
