//! Catches figures that ClickHouse answers otherwise than SQLite does.

use serde_json::{Value, json};

use crate::oracle::queries::{CAMERAS, SENSORS, TOP};
use crate::support::asked::{Api, Question, rows};
use crate::support::clickhouse::{Database, Server};
use crate::support::place::Place;
use crate::support::readings::{Disorder, detections, movements};
use crate::support::run::Run;
use crate::support::scene::MIDNIGHT_MS;
use crate::support::windows::assert_rows;

/// The tables as FORMATS has them, where nothing has made them: columns and primary key.
const TABLES: [(&str, &str, &str); 3] = [
    (
        "sensor_travelers",
        "sensor_id Int64, traveler_id String, entered_at DateTime64(3), traveler_type LowCardinality(String), \
         left_at DateTime64(3), min_speed Nullable(Float64), max_speed Nullable(Float64), avg_speed Nullable(Float64), \
         samples Int64",
        "sensor_id, traveler_id, entered_at",
    ),
    (
        "sensor_windows",
        "sensor_id Int64, traveler_type LowCardinality(String), window_end DateTime64(3), window_ms Int64, \
         min_speed Nullable(Float64), max_speed Nullable(Float64), avg_speed Nullable(Float64), samples Int64, \
         travelers Int64",
        "sensor_id, traveler_type, window_end",
    ),
    (
        "camera_windows",
        "geographical_location_oid Int64, item_name LowCardinality(String), window_start DateTime64(3), window_ms Int64, detections Int64",
        "geographical_location_oid, item_name, window_start",
    ),
];

/// Copies the windows of a place's SQLite.
fn copy(place: &Place, database: &Database) {
    for (table, columns, key) in TABLES {
        database.sql(&format!("CREATE TABLE IF NOT EXISTS {table} ({columns}) ENGINE = MergeTree ORDER BY ({key})"));
        let columns: Vec<(&str, bool)> = columns
            .split(", ")
            .map(|column| column.split_once(' ').expect("a type"))
            .map(|(name, kind)| (name, kind.starts_with("DateTime64")))
            .collect();
        let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let value = |(value, (_, is_time)): (&Value, &(&str, bool))| match value {
            Value::String(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
            value if *is_time => format!("fromUnixTimestamp64Milli(toInt64({value}))"),
            value => value.to_string(),
        };
        for part in place.store().rows(&format!("SELECT {names} FROM {table}")).chunks(500) {
            let row =
                |row: &Vec<Value>| format!("({})", row.iter().zip(&columns).map(value).collect::<Vec<_>>().join(", "));
            let values = part.iter().map(row).collect::<Vec<_>>().join(", ");
            database.sql(&format!("INSERT INTO {table} ({names}) VALUES {values}"));
        }
    }
}

/// The settings that lead to a database.
fn sets(database: &Database) -> Vec<String> {
    let settings = [format!("clickhouse.url={}", database.url), format!("clickhouse.database={}", database.name)];
    settings.into_iter().flat_map(|setting| ["--set".to_owned(), setting]).collect()
}

#[test]
fn clickhouse_answers_what_sqlite_answers() {
    let (place, database) = (Place::new(), Server::shared().database());
    let records = [movements(1_200, 98, Disorder(30_000)), detections(1_200, 98, Disorder(120_000))].concat();
    place.replay().arg(place.input("in", &records)).summary();
    copy(&place, &database);
    let (store, sets) = (format!("sqlite:{}", place.database().display()), sets(&database));
    let (ours, theirs) = (Api::over(&store, &[]), Api::over("clickhouse", &sets));
    let span = (MIDNIGHT_MS + 300_000, MIDNIGHT_MS + 1_500_000);
    let sensors = || Question::new("sensors", span);
    let cameras = || Question::new("cameras", span);
    let none = (MIDNIGHT_MS - 900_000, MIDNIGHT_MS - 600_000);
    for (question, columns) in [
        (sensors(), &SENSORS[..]),
        (sensors().step(40_000).with("sensor", Some(42)), &SENSORS),
        (sensors().step(20_000).with("type", Some("car")), &SENSORS),
        (sensors().with("sensor", Some(40)).with("type", Some("bike")), &SENSORS),
        (sensors().with("type", Some("it's \\ no 'type'")), &SENSORS),
        (Question::new("sensors", none), &SENSORS),
        (cameras(), &CAMERAS),
        (cameras().step(60_000).with("fill", Some("true")), &CAMERAS),
        (cameras().with("location", Some(-1)).with("item", Some("bïke")), &CAMERAS),
        (Question::new("cameras", none), &CAMERAS),
        (Question::new("top", span).with("k", Some(2)), &TOP),
        (Question::new("top", span).with("k", Some(1)).with("location", Some(3)), &TOP),
    ] {
        let expected = rows(&question.answer(&store, &[], &ours), columns);
        let actual = rows(&question.answer("clickhouse", &sets, &theirs), columns);
        assert_rows(&format!("{question:?}"), &actual, &expected);
    }
    let all = rows(&sensors().answer("clickhouse", &sets, &theirs), &SENSORS);
    assert!(all.iter().any(|row| row[8].as_u64() > Some(1) && row[7] != json!(0)), "there is something to compare");
    let too_many = Question::new("cameras", (0, span.1)).with("fill", Some("true"));
    too_many.command("clickhouse", "csv").args(&sets).end().expect(2).says(&["100000 rows"]);
    let other = sensors().command("clickhouse", "csv").args(&sets).args(["--set", "sensors.window=30s"]);
    other.end().expect(2).says(&["sensors.window", "holds windows of 60000 ms"]);
}

#[test]
fn a_server_without_the_tables_is_named() {
    let sets = sets(&Server::shared().no_database());
    let question = Question::new("sensors", (0, 60_000)).command("clickhouse", "json").args(&sets);
    question.end().expect(1).says(&["cannot read windows", "hexflow migrate"]);
    // Nobody listens there.
    let away = ["--set", "clickhouse.url=http://127.0.0.1:9"];
    Question::new("top", (0, 60_000)).with("k", Some(1)).command("clickhouse", "json").args(away).end().expect(1);
    Run::new("serve")
        .args(["--store", "clickhouse"])
        .args(away)
        .end()
        .expect(1)
        .says(&["127.0.0.1:9", "try again later"]);
}
