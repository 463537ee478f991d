//! One thing that a server needs, and how it stands with it.

/// One thing.
#[derive(Debug)]
pub struct Step {
    /// What it is.
    pub what: String,
    /// How it stands.
    pub state: State,
}

/// How a thing stands.
#[derive(Debug)]
pub enum State {
    /// It is there, as it must be.
    Stands,
    /// It is not there; the statement that makes it.
    Missing(String),
    /// It is there, but other than it must be, in these ways; that is for people to judge.
    Differs(Vec<String>),
}

impl Step {
    /// A line for people, or more where a plan shows what it would do.
    pub fn told(&self, dry_run: bool) -> String {
        match &self.state {
            State::Stands => format!("  {}: there\n", self.what),
            State::Missing(statement) if dry_run => {
                format!("  {}: would be made\n    {}\n", self.what, statement.replace('\n', "\n    "))
            }
            State::Missing(_) => format!("  {}: made\n", self.what),
            State::Differs(_) => format!("  {}: there, but different; left alone\n", self.what),
        }
    }

    /// What an operator should look at.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let ways = if let State::Differs(ways) = &self.state { &ways[..] } else { &[] };
        ways.iter().map(|way| format!("{}: {way}", self.what))
    }
}
