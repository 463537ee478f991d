//! Two processes on this machine that share one computation.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

use super::run::{Output, Run, Running};

/// Ports below those that the system gives to outgoing connections, which would take one between here and its use.
static NEXT_PORT: AtomicU16 = AtomicU16::new(0);

/// Addresses whose ports are free, and given out once.
pub(crate) fn addresses() -> [String; 2] {
    [(), ()].map(|()| format!("127.0.0.1:{}", free_port()))
}

/// A port that is free, and given out once.
pub(crate) fn free_port() -> u16 {
    let first = 12_000 + u16::try_from(std::process::id() % 100).expect("below 100") * 100;
    loop {
        let port = first + NEXT_PORT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            break port;
        }
    }
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
