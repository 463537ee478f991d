//! Ends a process that hangs: another process has fallen silent, or the frontier stands still and nothing explains it.
//!
//! What explains it: a sink that works, a server that is away, on this or any other process. A partition that stands still
//! does not hold the frontier, so it needs no excuse.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use super::beats::Heard;
use crate::fault::Fault;
use crate::progress::Progress;

/// How often it looks.
const PERIOD: Duration = Duration::from_millis(500);

/// What it knows of the frontier.
#[derive(Debug)]
struct Frontier {
    /// The oldest epoch in flight that it saw last; 0 while none is.
    oldest: u64,
    /// Since when nothing has explained that it is still the same.
    since: Option<Instant>,
}

impl Frontier {
    /// It is `oldest` at `now`, and that is explained or not; says for how long it has stood still unexplained.
    fn see(&mut self, oldest: u64, explained: bool, now: Instant) -> Duration {
        let moved = std::mem::replace(&mut self.oldest, oldest) != oldest;
        if oldest == 0 || explained {
            self.since = None;
            return Duration::ZERO;
        }
        if moved {
            self.since = Some(now);
        }
        now.duration_since(*self.since.get_or_insert(now))
    }
}

/// Looks for as long as the process lives, and raises `fault` once `patience` is over.
pub fn start(heard: Heard, progress: Arc<Progress>, patience: Duration, fault: Fault) -> Result<()> {
    let run = move || {
        let mut frontier = Frontier { oldest: 0, since: None };
        loop {
            thread::sleep(PERIOD);
            if let Some(process) = heard.silent(patience) {
                let advice = "start all processes again; what was stored stays";
                fault.raise(anyhow!("process {process} has not been heard of for {}: {advice}", seconds(patience)));
                return;
            }
            let oldest = progress.oldest.load(Relaxed);
            if frontier.see(oldest, heard.anyone_waits(), Instant::now()) > patience {
                let what = "records in flight have made no progress for";
                let advice = "nothing explains it, please report it; what was stored stays, start it again";
                fault.raise(anyhow!("{what} {}: {advice}", seconds(patience)));
                return;
            }
        }
    };
    thread::Builder::new().name("watchdog".to_owned()).spawn(run).context("cannot start a thread")?;
    Ok(())
}

fn seconds(patience: Duration) -> String {
    format!("{} s (progress_timeout)", patience.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unexplained_standstill_counts() {
        let (mut frontier, start) = (Frontier { oldest: 0, since: None }, Instant::now());
        let at = |s: u64| start + Duration::from_secs(s);
        assert_eq!(frontier.see(7, false, at(0)), Duration::ZERO);
        assert_eq!(frontier.see(7, false, at(5)), Duration::from_secs(5));
        // Something explains it: the clock begins anew.
        assert_eq!(frontier.see(7, true, at(6)), Duration::ZERO);
        assert_eq!(frontier.see(7, false, at(7)), Duration::ZERO);
        assert_eq!(frontier.see(7, false, at(9)), Duration::from_secs(2));
        // The oldest epoch went, or none is in flight: it moves.
        assert_eq!(frontier.see(8, false, at(10)), Duration::ZERO);
        assert_eq!(frontier.see(0, false, at(11)), Duration::ZERO);
        assert_eq!(frontier.see(0, false, at(99)), Duration::ZERO);
    }

    #[test]
    fn silence_is_told_of_the_process_that_is_silent() {
        let heard = Heard::default();
        assert_eq!(heard.silent(Duration::ZERO), None, "nobody was heard yet");
        heard.hear(1, false);
        thread::sleep(Duration::from_millis(2));
        assert_eq!(heard.silent(Duration::from_millis(1)), Some(1));
        assert_eq!(heard.silent(Duration::from_secs(60)), None);
        heard.hear(0, true);
        assert!(heard.anyone_waits());
    }
}
