//! How many workers there are, and where: timely's own flags.

use std::path::PathBuf;

use clap::Args;

use crate::cli::Failure;

/// The port of the first process where no hosts are given; the others follow.
const FIRST_PORT: usize = 2101;

/// Workers and processes.
#[derive(Args, Debug, Clone)]
pub struct ClusterArgs {
    /// Worker threads in each process.
    #[arg(short = 'w', long, value_name = "N", default_value_t = 1, value_parser = positive)]
    pub workers: usize,
    /// Processes that run together.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1, value_parser = positive)]
    pub processes: usize,
    /// Which of them this one is, from 0.
    #[arg(short = 'p', long, value_name = "I", default_value_t = 0)]
    pub process: usize,
    /// A file with the address of each process, one a line.
    #[arg(short = 'h', long, value_name = "FILE", conflicts_with = "hosts")]
    pub hostfile: Option<PathBuf>,
    /// The address of each process.
    #[arg(long, value_name = "HOST:PORT,..", value_delimiter = ',')]
    pub hosts: Vec<String>,
    /// Serialize what workers of one process exchange, as between processes: slower, and shows faults of that path.
    #[arg(long, hide = true)]
    pub zerocopy: bool,
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a whole number, at least 1".to_owned()),
        Ok(number) => Ok(number),
    }
}

impl ClusterArgs {
    /// The number of all workers.
    pub fn peers(&self) -> usize {
        self.workers * self.processes
    }

    /// The number of this process's first worker.
    pub fn first_worker(&self) -> usize {
        self.process * self.workers
    }

    /// Where the processes are, this one among them; a usage error if what was typed does not fit together.
    pub fn check(&self) -> Result<Vec<String>, Failure> {
        if self.process >= self.processes {
            let (process, last) = (self.process, self.processes - 1);
            return Err(Failure::usage(format!(
                "--process {process} is out of range: with -n {} it is 0 to {last}",
                last + 1
            )));
        }
        if self.processes == 1 { Ok(Vec::new()) } else { self.addresses() }
    }

    /// The processes of lower numbers that are on this one's machine, by what [`ClusterArgs::check`] yields.
    pub fn neighbours_before(&self, addresses: &[String]) -> usize {
        let machine = |address: &String| address.rsplit_once(':').map(|(machine, _)| machine.to_owned());
        let mine = addresses.get(self.process).and_then(machine);
        addresses.iter().take(self.process).filter(|address| machine(address) == mine).count()
    }

    fn addresses(&self) -> Result<Vec<String>, Failure> {
        let (given, from) = match &self.hostfile {
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|error| Failure::usage(format!("--hostfile {}: {error}", file.display())))?;
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned);
                (lines.collect(), format!("--hostfile {}", file.display()))
            }
            None if self.hosts.is_empty() => {
                ((0..self.processes).map(|n| format!("127.0.0.1:{}", FIRST_PORT + n)).collect(), String::new())
            }
            None => (self.hosts.clone(), "--hosts".to_owned()),
        };
        if let Some(wrong) =
            given.iter().find(|host| host.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err()))
        {
            return Err(Failure::usage(format!("{from}: {wrong:?} is not HOST:PORT")));
        }
        if given.len() < self.processes {
            let (count, processes) = (given.len(), self.processes);
            return Err(Failure::usage(format!("{from} names {count} addresses, and -n says {processes} processes")));
        }
        Ok(given.into_iter().take(self.processes).collect())
    }
}
