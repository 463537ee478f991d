//! The command line: what can be typed, and the exit codes that come of it.

use std::fmt;
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::bench::{self, BenchArgs};
use crate::check::{self, CheckArgs};
use crate::config::Config;
use crate::control::command::{self, StallsArgs};
use crate::dlq::{self, DlqArgs};
use crate::generate::{self, GenerateArgs};
use crate::migrate::{self, MigrateArgs};
use crate::query::command::{self as windows, WindowsArgs};
use crate::replay::{self, ReplayArgs};
use crate::run::{self, RunArgs};
use crate::serve::{self, ServeArgs};
use crate::telemetry;

/// A geospatial event pipeline on timely and differential dataflow.
#[derive(Parser, Debug)]
#[command(name = "hexflow", version, disable_help_flag = true, disable_help_subcommand = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done; 2 usage or configuration; 3 ended with stalled partitions; 1 anything else."
)]
struct Cli {
    /// Print help.
    #[arg(long, action = ArgAction::Help, global = true)]
    help: Option<bool>,
    #[command(flatten)]
    configuration: ConfigurationArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Replay topic dumps through the pipelines.
    Replay(ReplayArgs),
    /// Make the topics and the tables in Kafka, ClickHouse and PostgreSQL that are not there yet.
    Migrate(MigrateArgs),
    /// Read the topics from Kafka into a store, until told to stop.
    Run(RunArgs),
    /// Look whether everything is there and can be reached that a run needs.
    Check(CheckArgs),
    /// List dead letters, or send them back to the topics that they came from.
    Dlq(DlqArgs),
    /// Make realistic dumps of the citylens topics, of any size.
    Generate(GenerateArgs),
    /// Measure hexflow on this machine.
    Bench(BenchArgs),
    /// List the partitions that stand still, or have a record skipped.
    Stalls(StallsArgs),
    /// Show windows of sensors and cameras that a store holds.
    Windows(WindowsArgs),
    /// Answer questions about a store over HTTP, until told to stop.
    Serve(ServeArgs),
    /// Print the configuration in effect, secrets masked.
    Config,
    /// Print a script that completes hexflow's commands in a shell.
    Completions {
        /// The shell to complete in.
        shell: Shell,
    },
}

/// Where the configuration comes from: the file, then the environment, then `--set`.
#[derive(Args, Debug)]
struct ConfigurationArgs {
    /// Read the configuration from a TOML file.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Set a key of the configuration; it wins over the file and the environment.
    #[arg(long, value_name = "KEY=VALUE", global = true)]
    set: Vec<String>,
}

impl ConfigurationArgs {
    /// The configuration in effect; what is logged from now on is logged as it says.
    fn load(&self) -> Result<Config, Failure> {
        let config = Config::load(self.config.as_deref(), &self.set).map_err(Failure::usage)?;
        telemetry::log::start(&config.log);
        Ok(config)
    }
}

/// How a command ended that did not end well.
#[derive(Debug)]
pub enum Failure {
    /// It was asked for something that cannot be: exit code 2.
    Usage(String),
    /// Partitions stand still, and were listed: exit code 3.
    Stalled,
    /// Anything else: exit code 1.
    Run(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Failure::Run(error)
    }
}

impl Failure {
    /// A usage error.
    pub fn usage(message: impl fmt::Display) -> Self {
        Failure::Usage(message.to_string())
    }
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(said) => {
            // Help and version come this way too, and are no failure.
            let _ = said.print();
            return ExitCode::from(u8::try_from(said.exit_code()).unwrap_or(2));
        }
    };
    match obey(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Stalled) => ExitCode::from(3),
        Err(Failure::Usage(message)) => {
            eprintln!("hexflow: {message}");
            ExitCode::from(2)
        }
        Err(Failure::Run(error)) => {
            eprintln!("hexflow: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn obey(cli: Cli) -> Result<(), Failure> {
    let load = || cli.configuration.load();
    match cli.command {
        Command::Replay(args) => replay::run(&args, &load()?),
        Command::Migrate(args) => migrate::run(&args, &load()?),
        Command::Run(args) => run::run(&args, &load()?),
        Command::Check(args) => check::run(&args, &load()?),
        Command::Dlq(args) => dlq::run(&args, &load()?),
        Command::Generate(args) => Ok(generate::run(&args)?),
        Command::Bench(_) => bench::run(),
        Command::Stalls(args) => command::run(&args, &load()?),
        Command::Windows(args) => windows::run(args, &load()?),
        Command::Serve(args) => serve::run(&args, &load()?),
        Command::Config => print(load()?.render().as_bytes()),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "hexflow", &mut script);
            print(&script)
        }
    }
}

/// Prints to standard output; a reader that has gone away is no failure.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    match stdout().write_all(bytes).and_then(|()| stdout().flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::Run(error.into())),
        _ => Ok(()),
    }
}
