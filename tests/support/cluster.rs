//! Two processes on this machine that share one computation.

use super::ports::free_ports;
use super::run::{Output, Run, Running};

/// Addresses whose ports are free, and given out once.
pub(crate) fn addresses() -> [String; 2] {
    [(), ()].map(|()| format!("127.0.0.1:{}", free_ports()))
}

/// Starts the same run as process 0 and 1.
pub(crate) fn start(run: impl Fn() -> Run) -> [Running; 2] {
    let hosts = addresses().join(",");
    ["0", "1"].map(|process| run().args(["-n", "2", "-p", process, "--hosts", &hosts]).start())
}

/// Runs both to their ends; process 0 is the one that reports.
pub(crate) fn end([first, second]: [Running; 2]) -> [Output; 2] {
    let second = std::thread::spawn(|| second.end());
    let first = first.end();
    [first, second.join().expect("the second process")]
}
