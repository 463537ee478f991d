//! Ports that are free, and given out once.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// The first of two ports that are free, below those that the system gives to outgoing connections, which would take one
/// between here and its use.
pub(crate) fn free_ports() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let first = 12_000 + std::process::id() % 180 * 100;
    loop {
        let port = first + NEXT.fetch_add(2, Ordering::Relaxed);
        let port = u16::try_from(port).expect("a port");
        if (port..port + 2).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return port;
        }
    }
}
