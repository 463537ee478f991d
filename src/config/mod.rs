//! The configuration: what an operator may set, and how it is read, checked and shown.
//!
//! ```text
//!   defaults  <  TOML file  <  environment  <  --set          later wins
//!                    \             |             /
//!                     assignments: key, text, origin
//!                                  |
//!                     keys: one table of name, comment and field
//!                                  |
//!                     rules: what the values must keep to
//! ```
//!
//! To add a key: a field in `settings`, its value in `defaults`, a line in `keys` and, where not every value will do,
//! one in `rules`. Reading, errors, suggestions and `hexflow config` follow from these.

mod alerts;
mod assignment;
mod choice;
mod defaults;
mod duration;
mod environment;
mod error;
mod field;
mod file;
mod keys;
mod load;
mod nearest;
mod origin;
mod properties;
mod render;
mod rules;
mod secret;
mod settings;

pub use alerts::AlertRule;
pub use choice::{LogFormat, LogLevel, OnMalformed};
pub use duration::parse as parse_duration;
pub use error::{ConfigError, Problem};
pub use origin::Origin;
pub use properties::{Properties, is_secret};
pub use secret::{Secret, SecretUrl};
pub use settings::{
    Alerts, Api, Archive, Batching, Cameras, ClickHouse, Config, Dedup, Kafka, Log, ObjectStore, Objects, Photos,
    Postgres, Sensors,
};
