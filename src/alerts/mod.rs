//! What a run does about alerts beside storing and sending them: it shows them and posts them.
//!
//! ```text
//!   notices --> sink (a thread) --+--> board: GET /alerts
//!                                 +--> a queue a webhook --> its thread: POST, again until it is answered
//! ```
//! Neither is waited for by anything else: rows, messages and offsets go on while a webhook is dead.

pub mod board;
pub mod queue;
pub mod sink;
pub mod webhook;

pub use sink::Alerts;
