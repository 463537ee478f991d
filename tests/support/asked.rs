//! Questions about windows, asked on the command line and over HTTP.

use serde_json::Value;

use super::http::{get, query};
use super::ports::free_ports;
use super::run::{Output, Run, Running, wait_until};
use super::windows::is_close;

/// A question: what is asked of, the path that it has over HTTP, and its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    verb: &'static str,
    path: &'static str,
    parameters: Vec<(&'static str, String)>,
}

impl Question {
    /// About `sensors`, `cameras` or `top`.
    pub(crate) fn new(verb: &'static str, (from, to): (i64, i64)) -> Question {
        let paths = [("sensors", "/sensors/windows"), ("cameras", "/cameras/windows"), ("top", "/cameras/top")];
        let path = paths.iter().find(|(name, _)| *name == verb).expect("a verb").1;
        Question { verb, path, parameters: vec![("from", from.to_string()), ("to", to.to_string())] }
    }

    /// With a parameter, if it has a value.
    pub(crate) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Question {
        self.parameters.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// With a step in ms.
    pub(crate) fn step(self, step: i64) -> Question {
        self.with("step", Some(format!("{step}ms")))
    }

    /// On the command line, of a store.
    pub(crate) fn command(&self, store: &str, format: &str) -> Run {
        let run = Run::new("windows").args([self.verb, "--store", store, "--format", format]);
        self.parameters.iter().fold(run, |run, (name, value)| match (*name, value.as_str()) {
            ("fill", "true") => run.arg("--fill"),
            _ => run.arg(format!("--{name}={value}")),
        })
    }

    /// Over HTTP: status and body.
    #[track_caller]
    pub(crate) fn get(&self, port: u16) -> (u16, String) {
        get(port, &format!("{}?{}", self.path, query(&self.parameters))).expect("an answer")
    }

    /// The same answer in both ways, in JSON. ClickHouse adds numbers up in any order: their last bits may differ.
    #[track_caller]
    pub(crate) fn answer(&self, store: &str, sets: &[String], api: &Api) -> Value {
        let told = self.command(store, "json").args(sets).end().expect(0).stdout;
        let (status, body) = self.get(api.port);
        let [command, api]: [Value; 2] = [&told, &body].map(|text| serde_json::from_str(text).expect("JSON"));
        let same = if store == "clickhouse" { is_close(&command, &api) } else { told == body };
        assert!(status == 200 && same, "{self:?}: {status}\n{told}\n{body}");
        command
    }
}

/// The rows of an answer: values in the order of `columns`, which must be all.
#[track_caller]
pub(crate) fn rows(answer: &Value, columns: &[&str]) -> Vec<Vec<Value>> {
    let rows = answer.get("windows").or(answer.get("items")).and_then(Value::as_array).expect("rows");
    let row = |row: &Value| {
        assert_eq!(row.as_object().expect("an object").len(), columns.len(), "{row}");
        columns.iter().map(|column| row[*column].clone()).collect()
    };
    rows.iter().map(row).collect()
}

/// `hexflow serve` under way.
pub(crate) struct Api {
    pub(crate) port: u16,
    run: Running,
}

impl Api {
    /// Over a store, with settings.
    pub(crate) fn over(store: &str, sets: &[String]) -> Api {
        let port = free_ports();
        let listen = format!("api.listen=127.0.0.1:{port}");
        let run = Run::new("serve").args(["--store", store, "--set", &listen]).args(sets).start();
        wait_until("it answers", || get(port, "/readyz").is_some_and(|(status, _)| status == 200));
        Api { port, run }
    }

    /// Has it stop, as supervisors do.
    pub(crate) fn end(self) -> Output {
        self.run.terminate();
        self.run.end().expect(0)
    }
}
