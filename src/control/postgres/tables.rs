//! The control tables in PostgreSQL, as any control store answers.

use postgres::{Error, Row};
use uuid::Uuid;

use super::Postgres;
use super::connection::out_of_range;
use super::mapping;
use crate::control::store::{Answer, ControlStore, Mapped, RecordPlace, Skip, Standing};

/// The last row counts: there should be one.
const MIGRATED: &str = "SELECT initial_migration_done FROM migration_state ORDER BY ctid DESC LIMIT 1";

const SKIPS: &str = "SELECT topic::text, partition::bigint, \"offset\" FROM skipped_offsets";

const SKIPS_AT: &str = "SELECT s.topic::text, s.partition::bigint, s.\"offset\" FROM skipped_offsets s \
                        JOIN unnest($1::text[], $2::bigint[], $3::bigint[]) AS w(topic, number, place) \
                        ON s.topic = w.topic AND s.partition = w.number AND s.\"offset\" = w.place";

const ADD_SKIP: &str = "INSERT INTO skipped_offsets (topic, partition, \"offset\", reason, by, at) \
                        VALUES ($1, ($2::bigint)::integer, $3, $4, $5, now()) ON CONFLICT DO NOTHING";

const STANDING: &str = "SELECT topic::text, partition::bigint, \"offset\", reason::text, head::text, \
                        (extract(epoch FROM since) * 1000)::bigint, by::text FROM stalled_partitions \
                        ORDER BY topic, partition";

const REMOVE: &str = "DELETE FROM stalled_partitions WHERE topic = $1 AND partition = $2::bigint";

/// A process that another one does not know of may have written of the same partition.
const PUT: &str = "INSERT INTO stalled_partitions (topic, partition, \"offset\", reason, head, since, by) \
                   VALUES ($1, ($2::bigint)::integer, $3, $4, $5, to_timestamp($6::bigint / 1000.0), $7) \
                   ON CONFLICT (topic, partition) DO UPDATE SET \"offset\" = excluded.\"offset\", \
                   reason = excluded.reason, head = excluded.head, since = excluded.since, by = excluded.by";

impl ControlStore for Postgres {
    fn name(&self) -> &str {
        self.shown()
    }

    fn each_mapping(&mut self, each: &mut dyn FnMut(&str, Uuid)) -> Answer<()> {
        mapping::each(self, each)
    }

    fn settle(&mut self, tracks: &[Mapped]) -> Answer<Vec<Mapped>> {
        mapping::settle(self, tracks)
    }

    fn find(&mut self, tracks: &[String]) -> Answer<Vec<Mapped>> {
        mapping::find(self, tracks)
    }

    fn migrated(&mut self) -> Answer<Option<bool>> {
        self.ask(|client| client.query_opt(MIGRATED, &[])?.map(|row| row.try_get(0)).transpose())
    }

    fn skips(&mut self) -> Answer<Vec<RecordPlace>> {
        places(self.ask(|client| client.query(SKIPS, &[])?.iter().map(place).collect())?)
    }

    fn skips_at(&mut self, asked: &[RecordPlace]) -> Answer<Vec<RecordPlace>> {
        let topics: Vec<&str> = asked.iter().map(|place| place.topic.as_str()).collect();
        let numbers: Vec<i64> = asked.iter().map(|place| i64::from(place.partition)).collect();
        let offsets: Vec<i64> = asked.iter().map(|place| place.offset.cast_signed()).collect();
        let found = self.ask(|client| {
            client.query(SKIPS_AT, &[&topics, &numbers, &offsets])?.iter().map(place).collect::<Result<Vec<_>, _>>()
        })?;
        places(found)
    }

    fn add_skip(&mut self, Skip { place, reason, by }: &Skip) -> Answer<bool> {
        let (number, offset) = (i64::from(place.partition), place.offset.cast_signed());
        let added = self.ask(|client| client.execute(ADD_SKIP, &[&place.topic, &number, &offset, reason, by]))?;
        Ok(added > 0)
    }

    fn standing(&mut self) -> Answer<Vec<Standing>> {
        let rows =
            self.ask(|client| client.query(STANDING, &[])?.iter().map(standing).collect::<Result<Vec<_>, _>>())?;
        rows.into_iter().map(|row| row.ok_or_else(|| out_of_range("a number in stalled_partitions"))).collect()
    }

    fn write_standing(&mut self, gone: &[(String, u32)], there: &[Standing]) -> Answer<()> {
        self.ask(|client| {
            let mut transaction = client.transaction()?;
            for (topic, partition) in gone {
                transaction.execute(REMOVE, &[topic, &i64::from(*partition)])?;
            }
            for row in there {
                let Standing { topic, partition, offset, reason, head, since, by } = row;
                let (number, offset) = (i64::from(*partition), offset.cast_signed());
                transaction.execute(PUT, &[topic, &number, &offset, reason, head, since, by])?;
            }
            transaction.commit()
        })
    }
}

type Place = (String, i64, i64);

fn place(row: &Row) -> Result<Place, Error> {
    Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
}

fn places(rows: Vec<Place>) -> Answer<Vec<RecordPlace>> {
    let place = |(topic, partition, offset): Place| {
        let partition = u32::try_from(partition).map_err(|_| out_of_range("a partition in skipped_offsets"))?;
        let offset = u64::try_from(offset).map_err(|_| out_of_range("an offset in skipped_offsets"))?;
        Ok(RecordPlace { topic, partition, offset })
    };
    rows.into_iter().map(place).collect()
}

/// A row; `None` if a number in it cannot be one.
fn standing(row: &Row) -> Result<Option<Standing>, Error> {
    let (partition, offset): (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
    let (Ok(partition), Ok(offset)) = (u32::try_from(partition), u64::try_from(offset)) else { return Ok(None) };
    let (topic, reason, head) = (row.try_get(0)?, row.try_get(3)?, row.try_get(4)?);
    Ok(Some(Standing { topic, partition, offset, reason, head, since: row.try_get(5)?, by: row.try_get(6)? }))
}
