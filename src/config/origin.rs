//! Where a value came from, as errors and `hexflow config` say it.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of the file that `--config` names.
    File {
        /// The file, as named.
        path: PathBuf,
        /// The key's line.
        line: usize,
        /// The key's first character.
        column: usize,
    },
    /// A variable of the environment, by name.
    Environment(String),
    /// `--set key=value`.
    Set,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Origin::Environment(name) => write!(f, "environment variable {name}"),
            Origin::Set => f.write_str("--set"),
        }
    }
}
