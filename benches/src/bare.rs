//! What SQLite takes without a dataflow: the rows of a replay's lines, inserted by one loop into the schema of its store.
//!
//! A child of `sinks`. Lines are parsed outside of what is timed, a transaction's worth at a time, so that memory stays small.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use rusqlite::types::Value as Stored;
use rusqlite::{Connection, params_from_iter};
use serde_json::{Map, Value, json};

/// Rows of all tables in one transaction.
const ROWS_AT_ONCE: u64 = 100_000;

const TABLES: [&str; 4] = ["tracks", "frames", "detections", "audit_log"];

/// A table that is filled.
struct Table {
    lines: BufReader<File>,
    rows: u64,
    columns: Vec<String>,
    insert: String,
}

/// Inserts the rows of `lines` into a new store at `path`, made as `model` is; prints what it took.
pub(crate) fn run(lines: &Path, model: &Path, path: &Path) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{}", fill(lines, model, path)?)?)
}

fn fill(lines: &Path, model: &Path, path: &Path) -> Result<Value> {
    let model = Connection::open(model)?;
    let store = Connection::open(path)?;
    // As hexflow opens its store: what is committed outlives a power cut.
    for (name, value) in [("journal_mode", "wal"), ("synchronous", "full"), ("cache_size", "-131072")] {
        store.pragma_update(None, name, value)?;
    }
    store.pragma_update(None, "wal_autocheckpoint", 16_384)?;
    for statement in texts(&model, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")? {
        store.execute_batch(&statement)?;
    }
    let mut tables = TABLES.iter().map(|table| Table::open(lines, table, &store)).collect::<Result<Vec<_>>>()?;
    let total: u64 = tables.iter().map(|table| table.rows).sum();
    let transactions = total.div_ceil(ROWS_AT_ONCE).max(1);
    let (mut seconds, mut on_cpu) = (0.0, 0.0);
    for _ in 0..transactions {
        // Of each table its share, as they come in a replay.
        let rows = tables.iter_mut().map(|table| table.take(table.rows.div_ceil(transactions)));
        let rows = rows.collect::<Result<Vec<_>>>()?;
        let (began, cpu) = (Instant::now(), cpu_seconds());
        store.execute_batch("BEGIN IMMEDIATE")?;
        for (table, rows) in tables.iter().zip(rows) {
            let mut insert = store.prepare_cached(&table.insert)?;
            for row in rows {
                insert.execute(params_from_iter(row))?;
            }
        }
        store.execute_batch("COMMIT")?;
        seconds += began.elapsed().as_secs_f64();
        on_cpu += cpu_seconds() - cpu;
    }
    for table in TABLES {
        let count = |store: &Connection| texts(store, &format!("SELECT CAST(count(*) AS TEXT) FROM {table}"));
        ensure!(count(&store)? == count(&model)?, "{table} has not as many rows as hexflow's");
    }
    // Closing moves what is left of the log into the file.
    let (began, cpu) = (Instant::now(), cpu_seconds());
    store.close().map_err(|(_, error)| error)?;
    Ok(json!({
        "seconds": seconds + began.elapsed().as_secs_f64(),
        "cpu_seconds": on_cpu + cpu_seconds() - cpu,
    }))
}

impl Table {
    fn open(lines: &Path, table: &str, store: &Connection) -> Result<Self> {
        let path = lines.join(table).with_extension("ndjson");
        let open = || File::open(&path).with_context(|| format!("cannot read {}", path.display()));
        let rows = BufReader::new(open()?).split(b'\n').count() as u64;
        let columns = texts(store, &format!("SELECT name FROM pragma_table_info('{table}')"))?;
        let places = vec!["?"; columns.len()].join(", ");
        // Lines hold superseded rows too, in order.
        let insert = format!("INSERT OR REPLACE INTO {table} ({}) VALUES ({places})", columns.join(", "));
        Ok(Table { lines: BufReader::new(open()?), rows, columns, insert })
    }

    /// The next `count` rows, or as many as there are.
    fn take(&mut self, count: u64) -> Result<Vec<Vec<Stored>>> {
        let (mut rows, mut line) = (Vec::new(), String::new());
        for _ in 0..count {
            line.clear();
            if self.lines.read_line(&mut line)? == 0 {
                break;
            }
            let row: Map<String, Value> = serde_json::from_str(&line)?;
            rows.push(self.columns.iter().map(|column| stored(row.get(column))).collect());
        }
        Ok(rows)
    }
}

/// What is bound; lines lack `source_version`, an integer that must not be null.
fn stored(value: Option<&Value>) -> Stored {
    match value {
        None => Stored::Integer(0),
        Some(Value::Number(number)) => {
            number.as_i64().map_or_else(|| Stored::Real(number.as_f64().unwrap_or_default()), Stored::Integer)
        }
        Some(Value::String(text)) => Stored::Text(text.clone()),
        Some(Value::Bool(truth)) => Stored::Integer(i64::from(*truth)),
        Some(Value::Null) => Stored::Null,
        Some(other) => Stored::Text(other.to_string()),
    }
}

/// The texts that a query gives.
fn texts(store: &Connection, query: &str) -> Result<Vec<String>> {
    Ok(store.prepare(query)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// How long this thread has been on a core.
fn cpu_seconds() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).map_or(f64::NAN, |ns| ns / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_arrive_whole_and_the_last_of_a_key_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (model, path) = (folder.path().join("model"), folder.path().join("bare"));
        let made = Connection::open(&model).unwrap();
        for table in TABLES {
            let columns = "id TEXT PRIMARY KEY NOT NULL, x REAL, at INTEGER, source_version INTEGER NOT NULL";
            let rows = format!("CREATE TABLE {table} ({columns}); INSERT INTO {table} VALUES ('a', 1.5, 2, 7)");
            made.execute_batch(&rows).unwrap();
            let lines = "{\"id\":\"a\",\"x\":0.5,\"at\":1}\n{\"id\":\"a\",\"x\":1.5,\"at\":null}\n";
            fs::write(folder.path().join(table).with_extension("ndjson"), lines).unwrap();
        }
        fill(folder.path(), &model, &path).unwrap();
        let query = "SELECT id || x || coalesce(at, 'none') || source_version FROM frames";
        assert_eq!(texts(&Connection::open(&path).unwrap(), query).unwrap(), ["a1.5none0"]);
    }
}
