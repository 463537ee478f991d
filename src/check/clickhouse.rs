//! ClickHouse: whether it answers, and has the tables that rows need.

use hexflow_dataflows::pipelines::Pipelines;

use super::{Check, told};
use crate::clickhouse::Server;
use crate::config::ClickHouse;
use crate::migrate;

/// Asks the configured server.
pub fn checks(config: &ClickHouse) -> Vec<Check> {
    let what = format!("ClickHouse at {}", config.url);
    let server = match Server::new(config) {
        Ok(server) => server,
        Err(error) => return vec![Check::new(what, Err(format!("cannot start a client: {error}")))],
    };
    let version = server.texts::<1>("SELECT version()").map(|rows| rows.into_iter().flatten().collect::<String>());
    let answers = version.map(|version| format!("version {version} answers")).map_err(told);
    if answers.is_err() {
        return vec![Check::new(what, answers)];
    }
    let tables = migrate::clickhouse::check(&server, Pipelines::all());
    let tables = tables.map(|()| "all are there".to_owned()).map_err(told);
    vec![Check::new(what, answers), Check::new(format!("tables of database {}", server.database()), tables)]
}
