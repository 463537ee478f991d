//! A real PostgreSQL: one server for all tests of this program, a database for each; and one of its own for a test that
//! stops it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use postgres::{Client, NoTls};
use uuid::Uuid;

use super::ports::free_ports;
use super::run::Run;
use super::store::Mapping;

/// Numbers the databases.
static NEXT_DATABASE: AtomicU32 = AtomicU32::new(0);

/// A server. It ends when its standard input does, so also when this program is killed.
pub(crate) struct Server {
    pub(crate) port: u16,
    /// The file of its certificate, which it has signed itself.
    pub(crate) certificate: String,
    _child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// A database with hexflow's control tables.
pub(crate) struct Database {
    pub(crate) port: u16,
    pub(crate) name: String,
}

impl Server {
    /// The one that tests share, which leave it running.
    pub(crate) fn shared() -> &'static Server {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Server::start)
    }

    /// One of a test's own.
    pub(crate) fn start() -> Server {
        let port = free_ports();
        let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/postgres"));
        command.args(["serve", &port.to_string(), "on"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a script of ours");
        let orders = child.stdin.take().expect("piped");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        let mut server = Server { port, certificate: String::new(), _child: child, orders, answers };
        let answer = server.answer();
        server.certificate = answer.strip_prefix("ready ").expect("what is wrong stands above").to_owned();
        server
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

    /// A database with the tables that `hexflow migrate` makes, and the initial migration done.
    pub(crate) fn database(&self) -> Database {
        let database = self.empty_database();
        database.migrate().end().expect(0);
        database.set_done(true);
        database
    }

    /// A database without tables.
    pub(crate) fn empty_database(&self) -> Database {
        let name = format!("test_{}", NEXT_DATABASE.fetch_add(1, Ordering::Relaxed));
        let database = Database { port: self.port, name: "postgres".to_owned() };
        database.client().batch_execute(&format!("CREATE DATABASE {name}")).expect("a database");
        Database { name, ..database }
    }
}

impl Database {
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{}", self.port, self.name)
    }

    /// The run with this database as its PostgreSQL.
    pub(crate) fn configure(&self, run: Run) -> Run {
        run.args(["--set", &format!("postgres.url={}", self.url())])
    }

    /// `migrate`, of PostgreSQL alone.
    pub(crate) fn migrate(&self) -> Run {
        self.configure(Run::new("migrate")).args(["--only", "postgres"])
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.url(), NoTls).expect("a connection")
    }

    pub(crate) fn execute(&self, statement: &str) {
        self.client().batch_execute(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// Whether the initial migration is done.
    pub(crate) fn set_done(&self, done: bool) {
        self.execute(&format!("UPDATE migration_state SET initial_migration_done = {done}"));
    }

    /// Puts a mapping row in, as a migration does.
    pub(crate) fn put_mapping(&self, citylens: &str, axion: &str) {
        put_mapping(&mut self.client(), citylens, axion);
    }

    /// The mapping rows by citylens track id.
    pub(crate) fn mapping(&self) -> BTreeMap<String, Mapping> {
        let rows =
            self.client().query("SELECT citylens_track_id, axion_track_id, source FROM citylens_track_mapping", &[]);
        let mapping = |row: &postgres::Row| Mapping { axion: row.get::<_, Uuid>(1).to_string(), source: row.get(2) };
        rows.expect("rows").iter().map(|row| (row.get(0), mapping(row))).collect()
    }

    /// How many rows a table holds.
    pub(crate) fn count(&self, table: &str) -> i64 {
        self.client().query_one(&format!("SELECT count(*) FROM {table}"), &[]).expect("a number").get(0)
    }
}

/// Puts a mapping row in unless one of the track stands; says whether it did.
pub(crate) fn put_mapping(client: &mut Client, citylens: &str, axion: &str) -> bool {
    let insert = "INSERT INTO citylens_track_mapping (citylens_track_id, axion_track_id, source) \
                  VALUES ($1, $2, 'migration') ON CONFLICT DO NOTHING";
    client.execute(insert, &[&citylens, &axion.parse::<Uuid>().expect("a UUID")]).expect("a mapping row") == 1
}
