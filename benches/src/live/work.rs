//! What a run is given to do: a pipeline, what is produced for it, and how its rows are found.

use anyhow::Result;
use serde_json::Value;

use super::reader::Store;

/// A pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Citylens,
    Sensors,
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

    /// The stores that are measured.
    pub(crate) fn stores(self) -> &'static [Store] {
        match self {
            Work::Citylens => &[Store::ClickHouse],
            Work::Sensors | Work::Cameras => &[Store::Sqlite, Store::ClickHouse],
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

    /// The query for those of `keys` whose rows are there.
    pub(super) fn finds(self, store: Store, keys: &[&str]) -> Result<String> {
        Ok(match self {
            Work::Citylens => {
                let (table, keys) = (store.table("detections"), keys.join("','"));
                format!("SELECT detection_id FROM {table} WHERE detection_id IN ('{keys}')")
            }
            Work::Cameras => {
                let (table, keys) = (store.table("camera_detections"), keys.join(","));
                format!("SELECT CAST(detection_oid AS TEXT) FROM {table} WHERE detection_oid IN ({keys})")
            }
            Work::Sensors => {
                let visits = keys.iter().map(|key| visit(store, key)).collect::<Result<Vec<_>>>()?;
                visits.join(" UNION ALL ")
            }
        })
    }

    /// The query for how many records have their rows.
    pub(super) fn counts(self, store: Store) -> String {
        match self {
            Work::Citylens => format!("SELECT CAST(count(*) AS TEXT) FROM {}", store.table("audit_log")),
            Work::Sensors | Work::Cameras => format!(
                "SELECT CAST(coalesce(sum(value + 1), 0) AS TEXT) FROM {} WHERE topic = '{}' AND kind = 'offset'",
                store.table("watermarks"),
                self.probed_topic()
            ),
        }
    }
}

/// The query for `SENSOR/TRAVELER/MS`, which is there if a visit has come so far.
fn visit(store: Store, key: &str) -> Result<String> {
    let [sensor, traveler, ms] = key.split('/').collect::<Vec<_>>()[..] else { anyhow::bail!("no key: {key}") };
    let (table, entered, left) = (store.table("sensor_travelers"), store.ms("entered_at"), store.ms("left_at"));
    Ok(format!(
        "SELECT '{key}' FROM {table} WHERE sensor_id = {sensor} AND traveler_id = '{traveler}' \
         AND {entered} <= {ms} AND {left} >= {ms}"
    ))
}
