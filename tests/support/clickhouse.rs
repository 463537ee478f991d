//! A real ClickHouse: one for all tests, a database for each; and one of its own for a test that stops it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value as Json;

use super::ports::free_ports;
use super::run::Run;
use super::schema::{Kind, TABLES};
use super::store::{Mapping, Tables};

/// Numbers the databases.
static NEXT_DATABASE: AtomicU32 = AtomicU32::new(0);

/// A server under way; it ends when its standard input does, at the latest with the tests.
pub(crate) struct Server {
    script: Child,
    folder: PathBuf,
    port: u16,
    /// The process id.
    id: String,
}

/// A database with hexflow's tables.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) name: String,
}

impl Server {
    /// The one that tests share.
    pub(crate) fn shared() -> &'static Server {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| Server::start(Path::new("-"), free_ports()))
    }

    /// One with its data in `folder`.
    pub(crate) fn start(folder: &Path, port: u16) -> Server {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/clickhouse");
        let mut command = Command::new(script);
        command.arg("run").arg(folder).arg(port.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut script = command.spawn().expect("tests/servers/clickhouse");
        let mut id = String::new();
        BufReader::new(script.stdout.take().expect("piped")).read_line(&mut id).expect("a process id");
        assert!(!id.is_empty(), "ClickHouse does not start: see above");
        Server { script, folder: folder.to_owned(), port, id: id.trim().to_owned() }
    }

    /// Kills it, as a power cut does.
    pub(crate) fn kill(mut self) -> Stopped {
        let killed = Command::new("kill").args(["-9", &self.id]).status().expect("kill");
        assert!(killed.success());
        drop(self.script.stdin.take());
        self.script.wait().expect("a child of ours");
        Stopped { folder: self.folder, port: self.port }
    }

    /// A database with the tables that `hexflow migrate` makes.
    pub(crate) fn database(&self) -> Database {
        let name = format!("test_{}", NEXT_DATABASE.fetch_add(1, Ordering::Relaxed));
        let database = Database { url: format!("http://127.0.0.1:{}", self.port), name };
        database.configure(Run::new("migrate").args(["--only", "clickhouse"])).end().expect(0);
        database
    }

    /// The name of a database that is not there.
    pub(crate) fn no_database(&self) -> Database {
        Database { url: format!("http://127.0.0.1:{}", self.port), name: "nowhere".to_owned() }
    }
}

/// A server that was killed.
pub(crate) struct Stopped {
    folder: PathBuf,
    port: u16,
}

impl Stopped {
    /// Starts it again, where it was.
    pub(crate) fn start(self) -> Server {
        Server::start(&self.folder, self.port)
    }
}

impl Database {
    /// The run with this database as its ClickHouse.
    pub(crate) fn configure(&self, run: Run) -> Run {
        let settings = [format!("clickhouse.url={}", self.url), format!("clickhouse.database={}", self.name)];
        settings.into_iter().fold(run, |run, setting| run.args(["--set".to_owned(), setting]))
    }

    /// The rows that a statement yields, as JSON.
    pub(crate) fn sql(&self, statement: &str) -> Vec<Json> {
        let url = format!("{}/?database={}&output_format_json_quote_64bit_integers=0", self.url, self.name);
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--fail-with-body", "--max-time", "60", "-H", "X-ClickHouse-Format: JSONEachRow"]);
        let mut curl = curl.args(["--data-binary", "@-", &url]);
        curl = curl.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut curl = curl.spawn().expect("curl");
        curl.stdin.take().expect("piped").write_all(statement.as_bytes()).expect("a pipe");
        let output = curl.wait_with_output().expect("curl");
        let answer = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(output.status.success(), "{statement}: {answer}");
        answer.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The rows of all tables, as a reader has them who knows nothing of versions.
    pub(crate) fn tables(&self) -> Tables {
        let mut tables = Tables::new();
        for table in &TABLES {
            let rows = tables.entry(table.name).or_default();
            for row in self.sql(&format!("SELECT {} FROM {} AS t", columns(table.columns), table.name)) {
                let cells: Vec<_> = table.columns.iter().map(|(name, kind)| kind.cell(&row[*name])).collect();
                let twice = rows.insert(table.key(&cells), cells);
                assert!(twice.is_none(), "two rows of one key in {}: {twice:?}", table.name);
            }
        }
        tables
    }

    /// The mapping that the tracks tell.
    pub(crate) fn mapping(&self) -> BTreeMap<String, Mapping> {
        let text = |value: &Json| value.as_str().expect("a text").to_owned();
        let row = |row: &Json| {
            let mapping = Mapping { axion: text(&row["track_id"]), source: "realtime".to_owned() };
            (text(&row["citylens_track_id"]), mapping)
        };
        self.sql("SELECT citylens_track_id, track_id FROM tracks").iter().map(row).collect()
    }

    /// Every column of every row: equal only if nothing at all changed.
    pub(crate) fn everything(&self) -> Vec<String> {
        let rows = TABLES.iter().flat_map(|table| self.sql(&format!("SELECT * FROM {} ORDER BY ALL", table.name)));
        rows.map(|row| row.to_string()).collect()
    }

    /// How many rows a table holds.
    pub(crate) fn count(&self, table: &str) -> u64 {
        self.sql(&format!("SELECT count() AS n FROM {table}"))[0]["n"].as_u64().expect("a number")
    }
}

/// The columns, with times as numbers.
fn columns(columns: &[(&str, Kind)]) -> String {
    let column = |(name, kind): &(&str, Kind)| match kind {
        Kind::Int if *name != "sequence" => format!("toUnixTimestamp64Milli(t.{name}) AS {name}"),
        _ => format!("t.{name} AS {name}"),
    };
    columns.iter().map(column).collect::<Vec<_>>().join(", ")
}
