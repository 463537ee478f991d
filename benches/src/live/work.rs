//! What a run is given to do: a pipeline, what is produced for it, and where its rows can be read.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use hexflow::clickhouse::Server;
use hexflow::config::Config;
use hexflow::patience::Failure;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

/// A pipeline and its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// citylens, into ClickHouse.
    Citylens,
    /// Sensors, into the embedded store.
    Sensors,
    /// Cameras, into the embedded store.
    Cameras,
}

impl Work {
    /// How `--pipelines` calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Work::Citylens => "citylens",
            Work::Sensors => "sensors",
            Work::Cameras => "cameras",
        }
    }

    /// What `--store` takes; `folder` is for files.
    pub(crate) fn store(self, folder: &Path) -> String {
        match self {
            Work::Citylens => "clickhouse".to_owned(),
            Work::Sensors | Work::Cameras => format!("sqlite:{}", database(folder).display()),
        }
    }

    /// What `hexflow generate` is asked for. Event time goes as fast as it is produced.
    pub(super) fn generated(self, records: u64, rate: Option<u64>) -> Result<Vec<String>> {
        let rate = rate.unwrap_or(1_000);
        let text = match self {
            // Of three messages two are detections, and one in a hundred a track's.
            Work::Citylens => format!("--tracks {} --detections {}", (records / 500).max(10), records * 2 / 3),
            // Of travelers a third are near a sensor.
            Work::Sensors => format!("--pipeline sensors --readings {records} --rate {rate} --travelers {}", rate * 3),
            Work::Cameras => format!("--pipeline cameras --detections {records} --rate {rate}"),
        };
        Ok(text.split(' ').map(ToOwned::to_owned).collect())
    }

    /// The topic whose records are looked for.
    pub(super) fn probed_topic(self) -> &'static str {
        match self {
            Work::Citylens => "axion.sense.citylens.detections",
            Work::Sensors => "movements",
            Work::Cameras => "camera-detections",
        }
    }

    /// The key that a message's row has.
    pub(super) fn probe(self, body: &Value) -> Result<String> {
        let text = |name: &str| match &body[name] {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            _ => Err(anyhow::anyhow!("a message without {name}")),
        };
        match self {
            Work::Citylens => text("detectionId"),
            Work::Sensors => {
                // Some are without an offset, which means UTC.
                let at: jiff::Timestamp = format!("{}Z", text("timestamp")?.trim_end_matches('Z')).parse()?;
                Ok(format!("{}/{}/{}", text("sensor_id")?, text("traveler_id")?, at.as_millisecond()))
            }
            Work::Cameras => text("detection_oid"),
        }
    }
}

/// A reader of a store that is being written.
pub(crate) enum Reader {
    ClickHouse(Box<Server>),
    Sqlite(Connection, Work),
}

impl Reader {
    /// For what `work` writes.
    pub(crate) fn new(work: Work, clickhouse: &str, folder: &Path) -> Result<Self> {
        if work == Work::Citylens {
            let mut config = Config::default();
            clickhouse.clone_into(&mut config.clickhouse.url);
            return Ok(Reader::ClickHouse(Box::new(Server::new(&config.clickhouse)?)));
        }
        let store = Connection::open_with_flags(database(folder), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        store.busy_timeout(std::time::Duration::from_secs(10))?;
        Ok(Reader::Sqlite(store, work))
    }

    /// The keys of `keys` whose rows are there.
    pub(crate) fn find(&self, keys: &[&str]) -> Result<Vec<String>> {
        let listed = keys.iter().map(|key| format!("'{key}'")).collect::<Vec<_>>().join(",");
        match self {
            Reader::ClickHouse(server) => {
                let table = server.table("detections");
                let query = format!("SELECT detection_id FROM {table} WHERE detection_id IN ({listed})");
                Ok(server.texts::<1>(&query).map_err(Failure::told)?.into_iter().map(|[key]| key).collect())
            }
            Reader::Sqlite(store, Work::Cameras) => {
                let query =
                    format!("SELECT detection_oid FROM camera_detections WHERE detection_oid IN ({})", keys.join(","));
                let found = store
                    .prepare(&query)?
                    .query_map([], |row| Ok(row.get::<_, i64>(0)?.to_string()))?
                    .collect::<Result<_, _>>()?;
                Ok(found)
            }
            Reader::Sqlite(store, _) => keys.iter().filter_map(|key| visited(store, key).transpose()).collect(),
        }
    }

    /// How many records have their rows.
    pub(crate) fn count(&self) -> Result<u64> {
        match self {
            Reader::ClickHouse(server) => {
                let query = format!("SELECT toString(count()) FROM {}", server.table("audit_log"));
                let count = server.texts::<1>(&query).map_err(Failure::told)?;
                Ok(count.first().context("a count")?[0].parse()?)
            }
            Reader::Sqlite(store, work) => {
                let query = "SELECT coalesce(sum(value + 1), 0) FROM watermarks WHERE topic = ?1 AND kind = 'offset'";
                let count: i64 = store.query_row(query, [work.probed_topic()], |row| row.get(0))?;
                Ok(u64::try_from(count)?)
            }
        }
    }
}

/// `SENSOR/TRAVELER/MS`, if a visit that is stored has come so far.
fn visited(store: &Connection, key: &str) -> Result<Option<String>> {
    let [sensor, traveler, ms] = key.split('/').collect::<Vec<_>>()[..] else { anyhow::bail!("no key: {key}") };
    let query = "SELECT count(*) FROM sensor_travelers WHERE sensor_id = ?1 AND traveler_id = ?2 \
                 AND entered_at <= ?3 AND left_at >= ?3";
    let parameters = (sensor.parse::<i64>()?, traveler, ms.parse::<i64>()?);
    let count: i64 = store.prepare_cached(query)?.query_row(parameters, |row| row.get(0))?;
    Ok((count > 0).then(|| key.to_owned()))
}

fn database(folder: &Path) -> PathBuf {
    folder.join("hexflow.db")
}
