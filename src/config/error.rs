//! What can be wrong with a configuration; all of it is told at once, a line each, and no secret with it.

use std::io;
use std::path::PathBuf;

use super::Origin;

/// A configuration that was refused, with every reason.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError(pub(super) Vec<Problem>);

impl ConfigError {
    /// The reasons, in the order in which the configuration was read; at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

/// One reason to refuse a configuration.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// The file, as named.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The file is not TOML.
    #[error("{origin}: {reason}")]
    Syntax {
        /// Where reading stopped.
        origin: Origin,
        /// What is wrong there, without the line itself: it may hold a secret.
        reason: String,
    },
    /// `--set` without `=`.
    #[error("--set {start}: expected key=value")]
    NoValue {
        /// As much of it as could be a key: the rest may be a secret.
        start: String,
    },
    /// There is no such key.
    #[error("{origin}: no key `{key}`; the nearest is `{nearest}`")]
    UnknownKey {
        /// Who named it.
        origin: Origin,
        /// The key as named, parts separated by dots.
        key: String,
        /// The key that was probably meant.
        nearest: String,
    },
    /// A key's value is of the wrong type or out of its bounds.
    #[error("{origin}: {key} = {value}: expected {expected}")]
    WrongValue {
        /// Who set it.
        origin: Origin,
        /// The key's name.
        key: String,
        /// The value as written, secrets masked.
        value: String,
        /// What would have been right.
        expected: String,
    },
}
