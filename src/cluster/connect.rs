//! Connects the processes of a cluster, each with each: a process calls those before it and is called by those after it.
//!
//! Timely can do this as well, but prints to standard output while it waits, which here belongs to the summary, and waits
//! for ever. Here a process that does not come within a minute is named.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long processes wait for each other.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often they look.
const PERIOD: Duration = Duration::from_millis(20);

/// What a caller says first, before its number: tells a peer from anybody else who finds the port.
const GREETING: [u8; 8] = *b"hexflow1";

/// One socket for each process, none for process `me` itself, in their order.
pub fn connect(addresses: &[String], me: usize) -> Result<Vec<Option<TcpStream>>> {
    let address = &addresses[me];
    let listener = TcpListener::bind(address)
        .with_context(|| format!("process {me} cannot listen on {address}: check that nothing else does"))?;
    let deadline = Instant::now() + PATIENCE;
    let mut sockets = Vec::new();
    for (process, address) in addresses[..me].iter().enumerate() {
        sockets.push(Some(call(process, address, me, deadline)?));
    }
    sockets.push(None);
    sockets.extend(answer(&listener, addresses, me, deadline)?.into_iter().map(Some));
    Ok(sockets)
}

fn call(process: usize, address: &str, me: usize, deadline: Instant) -> Result<TcpStream> {
    loop {
        match TcpStream::connect(address) {
            Ok(mut socket) => {
                socket.set_nodelay(true)?;
                socket.write_all(&GREETING)?;
                socket.write_all(&(me as u64).to_le_bytes())?;
                return Ok(socket);
            }
            Err(error) if Instant::now() > deadline => {
                return Err(error)
                    .with_context(|| format!("no word from process {process} at {address}: start it too"));
            }
            Err(_) => sleep(PERIOD),
        }
    }
}

fn answer(listener: &TcpListener, addresses: &[String], me: usize, deadline: Instant) -> Result<Vec<TcpStream>> {
    let mut callers: Vec<Option<TcpStream>> = addresses[me + 1..].iter().map(|_| None).collect();
    listener.set_nonblocking(true)?;
    while let Some(missing) = callers.iter().position(Option::is_none) {
        match listener.accept() {
            Ok((socket, _)) => {
                if let Ok((process, socket)) = greet(socket) {
                    let slot = process.checked_sub(me + 1).and_then(|at| callers.get_mut(at));
                    let Some(slot) = slot.filter(|slot| slot.is_none()) else {
                        bail!("a process calls itself {process}, twice or out of range: check -p and -n of each");
                    };
                    *slot = Some(socket);
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let (process, address) = (me + 1 + missing, &addresses[me + 1 + missing]);
                ensure!(Instant::now() < deadline, "no word from process {process} at {address}: start it too");
                sleep(PERIOD);
            }
            Err(error) => return Err(error).context("cannot accept the other processes"),
        }
    }
    Ok(callers.into_iter().flatten().collect())
}

/// Hears who calls; an error if it is no peer.
fn greet(mut socket: TcpStream) -> Result<(usize, TcpStream)> {
    socket.set_nonblocking(false)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    let (mut greeting, mut process) = ([0; 8], [0; 8]);
    socket.read_exact(&mut greeting)?;
    socket.read_exact(&mut process)?;
    ensure!(greeting == GREETING, "not a peer");
    socket.set_read_timeout(None)?;
    Ok((usize::try_from(u64::from_le_bytes(process))?, socket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_processes_find_each_other_past_a_stranger() {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let addresses: Vec<String> = (0..3).map(|_| free()).collect();
        let processes: Vec<_> = (0..3)
            .map(|me| {
                let addresses = addresses.clone();
                std::thread::spawn(move || {
                    if me == 2 {
                        let stranger = (0..500).find_map(|_| {
                            sleep(PERIOD);
                            TcpStream::connect(&addresses[0]).ok()
                        });
                        stranger.expect("process 0 listens").write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
                    }
                    connect(&addresses, me).map(|sockets| sockets.iter().map(Option::is_some).collect::<Vec<_>>())
                })
            })
            .collect();
        for (me, process) in processes.into_iter().enumerate() {
            let expected: Vec<bool> = (0..3).map(|n| n != me).collect();
            assert_eq!(process.join().unwrap().unwrap(), expected);
        }
    }
}
