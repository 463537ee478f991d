//! Why a question has no answer.

use crate::cli::Failure;

/// Rows that a question may yield: what a page or a program can still take in one piece.
pub const MAX_ROWS: usize = 100_000;

/// Why a question has no answer.
#[derive(Debug)]
pub enum Problem {
    /// A parameter is not what it must be: its name, and what is wrong with it.
    Parameter(&'static str, String),
    /// It would yield more than [`MAX_ROWS`].
    TooMany,
    /// The store's windows are not those that are configured.
    Mismatch(String),
    /// The store cannot be read.
    Store(anyhow::Error),
}

impl Problem {
    /// What is wrong, in one line, without the parameter's name.
    pub fn why(&self) -> String {
        match self {
            Problem::Parameter(_, why) | Problem::Mismatch(why) => why.clone(),
            Problem::TooMany => {
                format!("this would yield more than {MAX_ROWS} rows: bring from and to nearer, or enlarge the step")
            }
            Problem::Store(error) => format!("{error:#}"),
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Parameter(name, why) => Failure::usage(format!("--{name}: {why}")),
            Problem::Store(error) => Failure::Run(error),
            problem => Failure::usage(problem.why()),
        }
    }
}
