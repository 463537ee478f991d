//! Runs programs as processes of their own: how long they took, their CPU time, their greatest resident memory.

use std::fs;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Between two looks at the processes' memory.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks at memory between two looks for new descendants, which cost more.
const LOOKS: u32 = 20;

/// Whoever is not done by then hangs.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// Ticks a second in /proc: the same on every Linux.
const TICKS: f64 = 100.0;

/// What one run took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Run {
    /// From start to the end of the last process, s.
    pub(crate) seconds: f64,
    /// User and system time of all processes and what they waited for, s, to 0.01.
    pub(crate) cpu_seconds: f64,
    /// Greatest resident memory, KiB. Of processes without children the sum of what each says was its greatest; else the
    /// greatest sum over the whole tree that was seen, in which pages that several share count for each.
    pub(crate) peak_kib: u64,
}

/// A process, and files with what it says.
struct Started {
    child: Child,
    said: tempfile::NamedTempFile,
    printed: tempfile::NamedTempFile,
    what: String,
}

/// Runs `command` to its end; an error if that is not a success.
pub(crate) fn measure(command: Command) -> Result<Run> {
    Ok(measure_all(vec![command])?.0)
}

/// Starts all commands, and waits for their ends; beside the figures, what the first wrote to its standard output. An error
/// if one of them does not end with success.
pub(crate) fn measure_all(commands: Vec<Command>) -> Result<(Run, String)> {
    let before = ticks_of_children()?;
    let began = Instant::now();
    let mut started = Vec::with_capacity(commands.len());
    for command in commands {
        match start(command) {
            Ok(one) => started.push(one),
            Err(error) => {
                kill(&started.iter().map(|one: &Started| one.child.id()).collect::<Vec<_>>());
                return Err(error);
            }
        }
    }
    let roots: Vec<_> = started.iter().map(|one| one.child.id()).collect();
    let (ended, peak) = (AtomicBool::new(false), AtomicU64::new(0));
    let (exits, seconds) = thread::scope(|scope| {
        let watch = scope.spawn(|| watch(&roots, began, &ended, &peak));
        let exits: Vec<_> = started.iter_mut().map(|one| one.child.wait()).collect();
        let seconds = began.elapsed().as_secs_f64();
        ended.store(true, Relaxed);
        watch.thread().unpark();
        (exits, seconds)
    });
    for (exit, one) in exits.into_iter().zip(&started) {
        let exit = exit?;
        if !exit.success() {
            bail!("{} ended with {exit}\n{}", one.what, tail(&fs::read_to_string(one.said.path())?));
        }
    }
    let mut printed = Vec::new();
    started.first().context("nothing to run")?.printed.reopen()?.read_to_end(&mut printed)?;
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let cpu_seconds = (ticks_of_children()? - before) as f64 / TICKS;
    Ok((Run { seconds, cpu_seconds, peak_kib: peak.into_inner() }, String::from_utf8_lossy(&printed).into_owned()))
}

fn start(mut command: Command) -> Result<Started> {
    let (said, printed) = (tempfile::NamedTempFile::new()?, tempfile::NamedTempFile::new()?);
    command.stdin(Stdio::null()).stdout(printed.reopen()?).stderr(said.reopen()?);
    let what = command.get_program().to_string_lossy().into_owned();
    let child = command.spawn().with_context(|| format!("cannot run {what}"))?;
    Ok(Started { child, said, printed, what })
}

/// The last lines of what a program said.
fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// Looks at the processes' memory until they have ended, and ends them when they hang.
fn watch(roots: &[u32], began: Instant, ended: &AtomicBool, peak: &AtomicU64) {
    let mut all = roots.to_vec();
    for look in 0_u32.. {
        if ended.load(Relaxed) {
            return;
        }
        if look % LOOKS == 0 {
            all = tree(roots);
        }
        // What a process says was its greatest is exact, but those of several need not have been at one instant.
        let field = if all.len() == roots.len() { "VmHWM:" } else { "VmRSS:" };
        peak.fetch_max(all.iter().filter_map(|&id| status_kib(id, field)).sum(), Relaxed);
        if began.elapsed() > PATIENCE {
            kill(&tree(roots));
        }
        thread::park_timeout(PAUSE);
    }
}

/// Processes and all that descend from them.
fn tree(roots: &[u32]) -> Vec<u32> {
    let mut all = roots.to_vec();
    let mut at = 0;
    while at < all.len() {
        let threads = fs::read_dir(format!("/proc/{}/task", all[at])).into_iter().flatten().flatten();
        let children = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
        let children: Vec<u32> =
            children.flat_map(|ids| ids.split(' ').filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect();
        all.extend(children);
        at += 1;
    }
    all
}

fn kill(ids: &[u32]) {
    let ids = ids.iter().map(ToString::to_string);
    // What cannot be ended has ended.
    let _ = Command::new("kill").arg("-KILL").args(ids).stderr(Stdio::null()).status();
}

/// User and system time of all children that have ended.
fn ticks_of_children() -> Result<u64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(") ").context("/proc/self/stat")?.1;
    // cutime and cstime are the 16th and 17th field; the name is the second.
    after_name.split(' ').skip(13).take(2).map(|ticks| Ok(ticks.parse::<u64>()?)).sum()
}

pub(crate) fn status_kib(id: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(field))?.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_last_to_end_is_waited_for_and_the_first_is_heard() {
        let (run, printed) = measure_all(vec![shell("echo first"), shell("echo second; sleep 0.2")]).unwrap();
        assert!(run.seconds > 0.2);
        assert_eq!(printed, "first\n");
    }

    #[test]
    fn a_failure_is_told_in_the_programs_own_words() {
        let error = measure(shell("echo out of luck >&2; exit 3")).unwrap_err().to_string();
        assert!(error.contains("out of luck") && error.contains('3'), "{error}");
    }

    #[test]
    fn memory_of_a_child_of_the_child_counts() {
        // `tail` holds what has no line end in memory; the shell itself is small. `true` keeps the shell from becoming it.
        let run = measure(shell("head -c 60000000 /dev/zero | (tail -n 1; sleep 0.3) | wc -c; true")).unwrap();
        assert!(run.peak_kib > 1_000, "{run:?}");
        let run = measure(shell("head -c 60000000 /dev/zero | tail -n 1 | (sleep 0.5; wc -c); true")).unwrap();
        assert!(run.peak_kib > 50_000, "{run:?}");
    }
}
