//! PostgreSQL: whether it answers and has the control tables, and whether citylens may be read.

use super::{Check, told};
use crate::config::SecretUrl;
use crate::control::Place;
use crate::migrate;

/// Asks the configured server.
pub fn checks(url: &SecretUrl) -> Vec<Check> {
    let mut store = match Place::Postgres(url.clone()).open() {
        Ok(store) => store,
        Err(failure) => return vec![Check::new("PostgreSQL", Err(told(failure)))],
    };
    let name = store.name().to_owned();
    let tables =
        migrate::postgres::check(url).map(|()| "all are there".to_owned()).map_err(|error| format!("{error:#}"));
    let are_there = tables.is_ok();
    let mut checks = vec![Check::new(format!("tables of {name}"), tables)];
    if are_there {
        let state = match store.migrated() {
            Ok(Some(true)) => Ok("done: citylens is read".to_owned()),
            Ok(_) => {
                Ok("not done: citylens is not read until migration_state.initial_migration_done is true".to_owned())
            }
            Err(failure) => Err(told(failure)),
        };
        checks.push(Check::new("initial migration", state));
    }
    checks
}
