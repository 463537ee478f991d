//! Runs the program: its arguments, what it is fed, what it said, and a deadline on all of it.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

/// No run of these tests takes longer; one that does hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// A run that is being prepared.
pub(crate) struct Run {
    command: Command,
    input: Option<Vec<u8>>,
}

impl Run {
    /// `hexflow VERB`, with nothing inherited that would configure it.
    pub(crate) fn new(verb: &str) -> Run {
        let mut run = Run::program(env!("CARGO_BIN_EXE_hexflow"));
        run.command.arg(verb);
        run
    }

    /// Any program, configured by nothing but its arguments.
    pub(crate) fn program(program: &str) -> Run {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy().to_ascii_lowercase();
            if name_text.starts_with("hexflow__") || name_text.starts_with("kafka__") || name_text == "rust_log" {
                command.env_remove(&name);
            }
        }
        Run { command, input: None }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Run {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Run {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Run {
        self.command.env(name, value);
        self
    }

    /// What stdin holds; without it stdin is empty.
    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Run {
        self.input = Some(bytes.into());
        self
    }

    /// The same command, run by a shell after `prelude`.
    pub(crate) fn after_shell(self, prelude: &str) -> Run {
        let mut run = Run::program("sh").arg("-c").arg(format!("{prelude}; exec \"$@\"")).arg("sh");
        run.command.arg(self.command.get_program()).args(self.command.get_args());
        run.input = self.input;
        run
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Running {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", self.command));
        let mut stdin = child.stdin.take().expect("piped");
        let stdout = Said::read(child.stdout.take().expect("piped"));
        let stderr = Said::read(child.stderr.take().expect("piped"));
        // From a thread, since the program reads at its own pace; one that ended reads no more: its exit code tells.
        thread::spawn(move || self.input.map(|input| stdin.write_all(&input)));
        Running { child, stdout: Some(stdout), stderr: Some(stderr) }
    }

    /// Runs it to its end.
    pub(crate) fn end(self) -> Output {
        self.start().end()
    }

    /// Runs it to its end, which must be a good one; the summary.
    pub(crate) fn summary(self) -> Value {
        self.end().expect(0).summary()
    }
}

/// What comes out of a pipe.
struct Said {
    so_far: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Said {
    fn read(mut pipe: impl Read + Send + 'static) -> Said {
        let so_far: Arc<Mutex<Vec<u8>>> = Arc::default();
        let said = Arc::clone(&so_far);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = pipe.read(&mut buffer) {
                said.lock().expect("a buffer").extend_from_slice(&buffer[..length]);
            }
        });
        Said { so_far, reader }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.so_far.lock().expect("a buffer")).into_owned()
    }

    /// All of it, once the pipe is closed.
    fn end(self) -> String {
        let Said { so_far, reader } = self;
        reader.join().expect("a reader");
        String::from_utf8_lossy(&so_far.lock().expect("a buffer")).into_owned()
    }
}

/// A run under way; dropped, it is killed.
pub(crate) struct Running {
    child: Child,
    stdout: Option<Said>,
    stderr: Option<Said>,
}

impl Running {
    /// Whether it ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_some()
    }

    /// Waits until it has said something on stderr.
    pub(crate) fn wait_to_say(&self, text: &str) {
        wait_until(text, || self.stderr.as_ref().is_some_and(|said| said.so_far().contains(text)));
    }

    /// Asks it to stop, as supervisors do.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let kill = Command::new("kill").arg(signal).arg(self.child.id().to_string()).status();
        assert!(kill.expect("kill").success(), "a child of ours");
    }

    /// Kills it, as `kill -9` does.
    pub(crate) fn kill(mut self) -> Output {
        self.child.kill().expect("a child of ours");
        self.wait()
    }

    /// Waits for its end, which must be an orderly one.
    pub(crate) fn end(mut self) -> Output {
        let output = self.wait();
        assert!(output.code.is_some(), "killed by a signal: {output:?}");
        assert!(!output.stderr.contains("panicked at"), "a panic: {output:?}");
        output
    }

    /// Waits for its end, in whatever way: it lost its peer.
    pub(crate) fn fall(mut self) -> Output {
        self.wait()
    }

    fn wait(&mut self) -> Output {
        let deadline = Instant::now() + DEADLINE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break Some(status);
            }
            if Instant::now() > deadline {
                self.child.kill().expect("a child of ours");
                self.child.wait().expect("a child of ours");
                break None;
            }
            thread::sleep(Duration::from_millis(2));
        };
        let text = |said: &mut Option<Said>| said.take().expect("taken once").end();
        let (stdout, stderr) = (text(&mut self.stdout), text(&mut self.stderr));
        let output = Output { code: status.and_then(|status| status.code()), stdout, stderr };
        assert!(status.is_some(), "still running after {DEADLINE:?}: {output:?}");
        output
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.stdout.is_some() {
            let _ = self.child.kill().and_then(|()| self.child.wait());
            if let (true, Some(said)) = (thread::panicking(), self.stderr.take()) {
                eprintln!("it had said: {}", said.end());
            }
        }
    }
}

/// How a run ended and what it said.
#[derive(Debug)]
pub(crate) struct Output {
    /// The exit code; `None` after a signal.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Output {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stderr, self.stdout);
        self
    }

    /// Asserts that stderr tells of each of `texts`.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Output {
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} is not in:\n{}", self.stderr);
        }
        self
    }

    /// The one JSON object on stdout.
    #[track_caller]
    pub(crate) fn summary(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Waits for a condition; `what` says which, if it never holds.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Instants that differ from run to run of the tests: it must not matter when.
pub(crate) fn random_ms(most: u64) -> Duration {
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").subsec_nanos();
    Duration::from_millis(u64::from(nanos / 1_000) % most)
}
