//! What a run answers over HTTP: whether it lives, whether it is ready, its metrics, its alerts, its stalls, its version, and
//! the windows that its store holds.

pub mod health;
pub mod server;
pub mod stalls;
pub mod windows;

pub use server::start;
