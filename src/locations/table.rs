//! Locations in a table, or a view, of the PostgreSQL at `postgres.url`.

use super::{COLUMNS, Locations};
use crate::config::SecretUrl;
use crate::control::postgres::Postgres;
use crate::control::store::Answer;
use crate::patience::Failure;

/// What a name means the server knows best: the answer can stand in a statement as it is.
const NAMED: &str = "SELECT to_regclass($1::text)::text";

const ADVICE: &str = "cameras.locations = \"postgres:TABLE\" needs a table or view that the user may read, with columns \
                      geographical_location_oid, whole numbers, and geographical_location, texts";

/// A table, and a connection to its server.
pub struct Table {
    name: String,
    server: Postgres,
    /// As it is told of.
    shown: String,
}

impl Table {
    /// The table that `name` means to the server: `table`, `schema.table`, with quotes where SQL has them. Nothing is sent
    /// yet. Fails if the address cannot be one.
    pub fn new(name: &str, url: &SecretUrl) -> Answer<Self> {
        let server = Postgres::new(url)?;
        let shown = format!("table {name} of {}", server.shown());
        Ok(Table { name: name.to_owned(), server, shown })
    }

    /// What it is and where, without a password.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Reads the locations. A location whose name is null is one without a name, as if it were not there.
    pub fn read(&mut self) -> Answer<Locations> {
        let rows = self.rows().map_err(|failure| match failure {
            Failure::Final(why, _) => Failure::Final(why, ADVICE),
            passing @ Failure::Passing(_) => passing,
        })?;
        let mut locations = Locations::default();
        for (oid, name) in rows {
            let wrong = |problem: &str| Failure::Final(format!("a row of {}: {problem}", self.name), "correct the row");
            let oid = oid.ok_or_else(|| wrong(&format!("{} is null", COLUMNS[0])))?;
            let Some(name) = name else { continue };
            locations.add(oid, name).map_err(|problem| wrong(&problem))?;
        }
        Ok(locations)
    }

    fn rows(&mut self) -> Answer<Vec<(Option<i64>, Option<String>)>> {
        let relation =
            self.server.ask(|client| client.query_one(NAMED, &[&self.name])?.try_get::<_, Option<String>>(0))?;
        let relation = relation.ok_or_else(|| Failure::Final(format!("there is no table {}", self.name), ADVICE))?;
        let [oid, name] = COLUMNS;
        let select = format!("SELECT {oid}::bigint, {name}::text FROM {relation} ORDER BY 1, 2");
        self.server.ask(|client| {
            client.query(&select, &[])?.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
        })
    }
}
