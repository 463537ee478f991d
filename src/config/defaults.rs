//! What holds where nobody has said otherwise: servers on this machine, at their usual ports.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::settings::*;
use super::{LogFormat, LogLevel, OnMalformed, Properties, Secret};

impl Default for Config {
    fn default() -> Self {
        Config {
            env: "prod".into(),
            on_malformed: OnMalformed::Stall,
            retry_interval: Duration::from_secs(1),
            progress_timeout: Duration::from_secs(60),
            log: Log { format: LogFormat::Text, level: LogLevel::Info },
            kafka: Kafka {
                brokers: "127.0.0.1:9092".into(),
                group: "hexflow".into(),
                topic_prefix: None,
                send: true,
                citylens: Batching { batch_size: 500, max_concurrency: 4, linger_ms: 100 },
                properties: Properties::default(),
            },
            clickhouse: ClickHouse {
                url: "http://127.0.0.1:8123".into(),
                database: "hexflow".into(),
                user: "default".into(),
                password: Secret::default(),
                cluster: None,
            },
            postgres: Postgres { url: None },
            object_store: ObjectStore { url: None, endpoint: None, access_key: None, secret_key: None },
            archive: Archive {
                url: None,
                topics: "movements,camera-detections".into(),
                roll_interval: Duration::from_secs(5 * 60),
                roll_bytes: 64 << 20,
            },
            dedup: Dedup { window: Duration::from_secs(24 * 60 * 60) },
            objects: Objects { eps_meters: 10.0, min_points: 1 },
            photos: Photos { radius_meters: 50.0, window: Duration::from_secs(5 * 60), min_photos: 1 },
            sensors: Sensors {
                window: Duration::from_secs(60),
                slide: Duration::from_secs(10),
                visit_gap: Duration::from_secs(60),
                lateness: Duration::from_secs(24 * 60 * 60),
            },
            cameras: Cameras {
                window: Duration::from_secs(10),
                lateness: Duration::from_secs(24 * 60 * 60),
                keep: Duration::from_secs(24 * 60 * 60),
                locations: None,
                history: None,
                history_step: Duration::from_secs(60 * 60),
                history_rows: 500_000,
                refresh: Duration::from_secs(5),
            },
            alerts: Alerts {
                wait: Duration::from_secs(10),
                idle: Duration::from_secs(60),
                webhook: None,
                rules: BTreeMap::new(),
            },
            api: Api { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)) },
            origins: BTreeMap::new(),
        }
    }
}
