//! Runs a program as a process of its own: how long it took, its CPU time, its greatest resident memory.

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Between two looks at a process's memory.
const PAUSE: Duration = Duration::from_millis(5);

/// Ticks a second in /proc: the same on every Linux.
const TICKS: f64 = 100.0;

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// From start to end, s.
    pub(crate) seconds: f64,
    /// User and system time, s, to 0.01.
    pub(crate) cpu_seconds: f64,
    /// Greatest resident memory, KiB, as last seen some ms before the end.
    pub(crate) peak_kib: u64,
}

/// Runs `command` to its end; an error if that is not a success.
pub(crate) fn measure(command: &mut Command) -> Result<Run> {
    let mut said = tempfile::NamedTempFile::new()?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said.as_file_mut().try_clone()?);
    let before = ticks_of_children()?;
    let began = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot run {command:?}"))?;
    let (status, ended, peak) = (format!("/proc/{}/status", child.id()), AtomicBool::new(false), AtomicU64::new(0));
    let (exit, seconds) = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            while !ended.load(Relaxed) {
                peak.fetch_max(peak_kib(&status).unwrap_or(0), Relaxed);
                thread::park_timeout(PAUSE);
            }
        });
        let exit = child.wait();
        let seconds = began.elapsed().as_secs_f64();
        ended.store(true, Relaxed);
        watch.thread().unpark();
        (exit, seconds)
    });
    if !exit?.success() {
        bail!("{command:?} failed:\n{}", fs::read_to_string(said.path())?);
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let cpu_seconds = (ticks_of_children()? - before) as f64 / TICKS;
    Ok(Run { seconds, cpu_seconds, peak_kib: peak.into_inner() })
}

/// User and system time of all children that have ended.
fn ticks_of_children() -> Result<u64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(") ").context("/proc/self/stat")?.1;
    // cutime and cstime are the 16th and 17th field; the name is the second.
    after_name.split(' ').skip(13).take(2).map(|ticks| Ok(ticks.parse::<u64>()?)).sum()
}

fn peak_kib(status: &str) -> Option<u64> {
    let status = fs::read_to_string(status).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

/// The machine and the versions, as names and values.
pub(crate) fn surroundings() -> Vec<(&'static str, String)> {
    let line = |path: &str, name: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find_map(|line| Some(line.strip_prefix(name)?.trim_start_matches([' ', '\t', ':'])));
        line.unwrap_or("unknown").trim().to_owned()
    };
    let rustc = Command::new("rustc").arg("--version").output().map(|out| String::from_utf8_lossy(&out.stdout).into());
    vec![
        ("cpu", line("/proc/cpuinfo", "model name")),
        ("cores", thread::available_parallelism().map_or_else(|_| "unknown".to_owned(), |cores| cores.to_string())),
        ("memory", line("/proc/meminfo", "MemTotal")),
        ("kernel", line("/proc/sys/kernel/osrelease", "")),
        ("rustc", rustc.map_or_else(|_| "unknown".to_owned(), |text: String| text.trim().to_owned())),
        ("hexflow", env!("CARGO_PKG_VERSION").to_owned()),
    ]
}

/// Counts the lines of a file, and sums hashes of them: equal for the same lines in whatever order. Of a line that holds
/// `until`, what is before it counts.
pub(crate) fn lines_of(path: &std::path::Path, until: &str) -> Result<(u64, u64)> {
    use std::io::{BufRead, BufReader};
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (mut file, mut line, mut count, mut sum) = (BufReader::with_capacity(1 << 18, file), String::new(), 0, 0u64);
    while file.read_line(&mut line)? > 0 {
        let counted = line.find(until).map_or(&*line, |end| &line[..end]);
        sum = sum.wrapping_add(xxhash_rust::xxh3::xxh3_64(counted.as_bytes()));
        count += 1;
        line.clear();
    }
    Ok((count, sum))
}
