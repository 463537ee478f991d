//! A server that a script of `tests/servers` keeps: it ends when its standard input does, so also when this program is
//! killed.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A script under way.
pub(crate) struct Served {
    _child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Served {
    /// Starts `tests/servers/NAME serve ARGS..`, and waits until it is ready.
    pub(crate) fn start(name: &str, args: &[&str]) -> Served {
        let mut command = Command::new(format!("{}/tests/servers/{name}", env!("CARGO_MANIFEST_DIR")));
        command.arg("serve").args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a script of ours");
        let orders = child.stdin.take().expect("piped");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        let mut served = Served { _child: child, orders, answers };
        assert_eq!(served.answer(), "ready", "what is wrong stands above");
        served
    }

    /// Has it do something, and waits until it is done.
    pub(crate) fn order(&mut self, order: &str) {
        writeln!(self.orders, "{order}").expect("a script of ours");
        assert_eq!(self.answer(), format!("{order} done"));
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("a pipe");
        line.trim_end().to_owned()
    }
}
