//! A webhook on this machine: answers as it is told to, and keeps what it was sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// A listener; it lasts as long as the tests.
pub(crate) struct Webhook {
    pub(crate) url: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// How many are still to be refused.
    refuse: usize,
    refused: usize,
    taken: Vec<Value>,
}

impl Webhook {
    /// Refuses so many posts before it takes the first.
    pub(crate) fn start(refuse: usize) -> Webhook {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/hooks/hunter2", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Seen { refuse, ..Seen::default() }));
        let told = Arc::clone(&seen);
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer(stream, &told)));
        Webhook { url, seen }
    }

    /// What it took, in order.
    pub(crate) fn taken(&self) -> Vec<Value> {
        self.seen.lock().expect("a list").taken.clone()
    }

    /// How many it has refused.
    pub(crate) fn refused(&self) -> usize {
        self.seen.lock().expect("a list").refused
    }
}

fn answer(stream: TcpStream, seen: &Mutex<Seen>) {
    let mut reader = BufReader::new(stream);
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if let Some((name, value)) =
            line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        {
            length = value.trim().parse().unwrap_or_else(|_| panic!("{name}: {value}"));
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let mut seen = seen.lock().expect("a list");
    let status = if seen.refuse > 0 {
        (seen.refuse, seen.refused) = (seen.refuse - 1, seen.refused + 1);
        "503 Service Unavailable"
    } else {
        seen.taken.push(serde_json::from_slice(&body).expect("JSON"));
        "200 OK"
    };
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let _ = reader.get_mut().write_all(answer.as_bytes()); // who has gone has gone
}
