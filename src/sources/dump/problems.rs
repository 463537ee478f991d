//! What is wrong with files: gathered while the rest is read, told at the end.

use std::sync::Mutex;

/// Problems kept word for word; of more only the number is.
const KEPT: usize = 20;

/// Problems met so far, from any thread.
#[derive(Debug, Default)]
pub struct Problems(Mutex<(Vec<String>, usize)>);

impl Problems {
    /// Notes a problem: what, where, and what to do next.
    pub fn report(&self, problem: String) {
        let mut problems = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        problems.1 += 1;
        if problems.0.len() < KEPT {
            problems.0.push(problem);
        }
    }

    /// The problems, the last line saying how many more there were; empty if there was none.
    pub fn told(&self) -> Vec<String> {
        let problems = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut told = problems.0.clone();
        if problems.1 > told.len() {
            told.push(format!("and {} more like these", problems.1 - told.len()));
        }
        told
    }
}
