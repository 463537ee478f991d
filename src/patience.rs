//! Asks until it is answered: a pause between two attempts that grows up to a bound, no two alike, and a word about it.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::telemetry::{events, waiting};

/// How often it is told that an answer is awaited.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// The first pause is this part of the longest.
const FIRST_PART: u32 = 16;

/// An error and what it came of, in one line: an error's own text often leaves its causes out, and some repeat them.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let next_text = next.to_string();
        if !text.contains(&next_text) {
            text = format!("{text}: {next_text}");
        }
        cause = next.source();
    }
    text.replace('\n', " ")
}

/// Why a question was not answered.
#[derive(Debug)]
pub enum Failure {
    /// It will pass: the same again.
    Passing(String),
    /// Somebody must act; with the advice to them.
    Final(String, &'static str),
}

impl Failure {
    /// As an error, where nobody asks again.
    pub fn told(self) -> anyhow::Error {
        match self {
            Failure::Passing(why) => anyhow!("{why}"),
            Failure::Final(why, advice) => anyhow!("{why}; {advice}"),
        }
    }

    /// Of somebody who asks once: what may pass is for them to ask again.
    #[must_use]
    pub fn asked_once(self) -> Self {
        match self {
            Failure::Passing(why) => Failure::Final(why, "try again later"),
            failure @ Failure::Final(..) => failure,
        }
    }

    /// As an error, with `what` was asked of `whom`.
    pub fn told_of(self, what: &str, whom: &str) -> anyhow::Error {
        match self {
            Failure::Passing(why) => anyhow!("cannot {what}: {whom}: {why}"),
            Failure::Final(why, advice) => anyhow!("cannot {what}: {whom}: {why}; {advice}"),
        }
    }
}

/// Waits for one server.
pub struct Patience {
    /// What is waited for, as shown.
    whom: String,
    /// The longest pause.
    longest: Duration,
    /// Whether anything stands still meanwhile.
    holds_up: bool,
    /// When it was last told, however often something fails in between.
    told: Option<Instant>,
}

impl Patience {
    /// For `whom`, with at most `longest` between two attempts.
    pub fn new(whom: String, longest: Duration) -> Self {
        Patience { whom, longest, holds_up: true, told: None }
    }

    /// The same for one that nothing else waits for: it may be away, and the process is as ready as ever.
    pub fn aside(whom: String, longest: Duration) -> Self {
        Patience { holds_up: false, ..Patience::new(whom, longest) }
    }

    /// Asks until it is answered; fails with what is final, `what` being what was asked for.
    pub fn until_answered<T>(
        &mut self,
        what: &str,
        mut ask: impl FnMut(Attempt) -> std::result::Result<T, Failure>,
    ) -> Result<T> {
        let began = Instant::now();
        let (mut pause, mut attempt, mut has_told) = (self.longest / FIRST_PART, Attempt::First, false);
        let mut away = None;
        loop {
            match ask(attempt) {
                Ok(answer) => {
                    if has_told {
                        events::server_back(&self.whom, began.elapsed().as_secs());
                    }
                    return Ok(answer);
                }
                Err(Failure::Final(why, advice)) => {
                    return Err(Failure::Final(why, advice).told_of(what, &self.whom));
                }
                Err(Failure::Passing(why)) => {
                    if self.holds_up {
                        away.get_or_insert_with(|| waiting::begin(&self.whom, true));
                    }
                    let is_told = self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY);
                    events::server_away(&self.whom, what, &why, began.elapsed().as_secs(), is_told);
                    if is_told {
                        (self.told, has_told) = (Some(Instant::now()), true);
                    }
                }
            }
            std::thread::sleep(jittered(pause));
            pause = (pause * 2).min(self.longest);
            attempt = Attempt::Again;
        }
    }
}

/// Which attempt it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Nothing was tried before.
    First,
    /// What was tried before may have had an effect.
    Again,
}

/// Between half of a pause and all of it, at random: many that wait for one server do not come back at once.
fn jittered(pause: Duration) -> Duration {
    #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
    let part = RandomState::new().hash_one(0) as u32;
    pause / 2 + (pause / 2).mul_f64(f64::from(part) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience() -> Patience {
        Patience::new("nobody".to_owned(), Duration::from_millis(2))
    }

    #[test]
    fn what_passes_is_asked_again_until_it_is_answered() {
        let mut attempts = Vec::new();
        let answer = patience().until_answered("ask", |attempt| {
            attempts.push(attempt);
            if attempts.len() < 9 { Err(Failure::Passing("away".to_owned())) } else { Ok(7) }
        });
        assert_eq!(answer.ok(), Some(7));
        assert_eq!(attempts[..2], [Attempt::First, Attempt::Again]);
    }

    #[test]
    fn what_is_final_is_asked_once() {
        let mut count = 0;
        let answer: Result<()> = patience().until_answered("ask", |_| {
            count += 1;
            Err(Failure::Final("wrong password".to_owned(), "check it"))
        });
        assert_eq!(answer.map_err(|e| e.to_string()), Err("cannot ask: nobody: wrong password; check it".to_owned()));
        assert_eq!(count, 1);
    }

    #[test]
    fn pauses_differ_and_keep_their_bounds() {
        let pauses: Vec<_> = (0..100).map(|_| jittered(Duration::from_secs(1))).collect();
        assert!(pauses.iter().all(|pause| (500..=1_000).contains(&pause.as_millis())));
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }
}
