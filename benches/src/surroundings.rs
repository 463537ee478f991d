//! What a figure depends on beside the program: the machine and the versions.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

/// The machine and the versions, as names and values.
pub(crate) fn surroundings() -> Vec<(&'static str, String)> {
    let unknown = || "unknown".to_owned();
    let mut all = vec![
        ("cpu", line("/proc/cpuinfo", "model name")),
        ("cores", thread::available_parallelism().map_or_else(|_| unknown(), |cores| cores.to_string())),
        ("memory", line("/proc/meminfo", "MemTotal")),
        ("kernel", line("/proc/sys/kernel/osrelease", "")),
        ("rustc", rustc().unwrap_or_else(unknown)),
        ("hexflow", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    all.extend(commit().map(|commit| ("commit", commit)));
    all
}

/// The compiler at hand, which need not be the one that built this; without the name that its answer begins with.
fn rustc() -> Option<String> {
    said(Command::new("rustc").arg("--version")).map(|version| version.trim_start_matches("rustc ").to_owned())
}

/// The commit of the sources this program was built from, where they are still in a repository. `+` says that they hold
/// what is not committed.
fn commit() -> Option<String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    let git = |arguments: &[&str]| said(Command::new("git").arg("-C").arg(sources).args(arguments));
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|changes| !changes.is_empty());
    Some(if changed { commit + "+" } else { commit })
}

fn line(path: &str, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| Some(line.strip_prefix(name)?.trim_start_matches([' ', '\t', ':'])));
    line.unwrap_or("unknown").trim().to_owned()
}

/// What a program says, if it ends well.
fn said(command: &mut Command) -> Option<String> {
    let out = command.output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}
