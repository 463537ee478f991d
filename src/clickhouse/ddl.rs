//! The statements that make the database and its tables.

use std::time::Duration;

use super::schema::{Rows, Table, WRITTEN};
use super::sql;

/// Rows of a granule. Versions are looked up by key, some thousand keys at a time: the fewer rows lie beside each, the less
/// is read.
const GRANULE_ROWS: u32 = 256;

/// Bytes that are compressed as one, about a granule of keys: what is read beside one that is wanted is unpacked, too.
const BLOCK_BYTES: u32 = 8 << 10;

/// The longest that rows are kept for some time: the server's clock ends in 2106.
const LONGEST_SECONDS: u64 = 10_000 * 86_400;

/// The statement that makes the database, on all of `cluster` if there is one.
pub fn create_database(database: &str, cluster: Option<&str>) -> String {
    format!("CREATE DATABASE IF NOT EXISTS {}{}", sql::name(database), on_cluster(cluster))
}

/// The statement that makes a table in `database`: replicated, where there is a `cluster` to replicate it in.
///
/// Numbers of blocks are kept, so that deletes can be patches beside the parts instead of new parts. Rows that are kept
/// for some time are kept for `keep` from when they were written.
pub fn create_table(database: &str, table: &Table, cluster: Option<&str>, keep: Duration) -> String {
    let mut columns: Vec<_> = table.typed().map(|(name, kind)| format!("    {} {kind}", sql::name(name))).collect();
    let (mut partition, mut ttl) = Default::default();
    let key = table.key().map(sql::name).collect::<Vec<_>>().join(", ");
    match table.rows {
        Rows::Versioned(_) | Rows::Changed => {}
        Rows::Recent => {
            columns.push(format!("    {} DateTime DEFAULT now()", sql::name(WRITTEN)));
            ttl = format!("TTL {}\n", time_to_live(keep));
        }
        Rows::Handed => partition = format!("PARTITION BY ({key})\n"),
    }
    format!(
        "CREATE TABLE IF NOT EXISTS {}.{}{}\n(\n{}\n)\nENGINE = {}\n{partition}ORDER BY ({key})\n{ttl}SETTINGS \
         index_granularity = {GRANULE_ROWS}, min_compress_block_size = {BLOCK_BYTES}, max_compress_block_size = {BLOCK_BYTES}, \
         enable_block_number_column = 1, enable_block_offset_column = 1",
        sql::name(database),
        sql::name(table.name),
        on_cluster(cluster),
        columns.join(",\n"),
        engine(cluster),
    )
}

/// When a row goes that is kept for some time, as the server shows it. It is counted by the server's clock and not by the
/// row's own time, so that what is replayed of a day long gone is not gone at once.
pub fn time_to_live(keep: Duration) -> String {
    format!("{WRITTEN} + toIntervalSecond({})", keep.as_secs().min(LONGEST_SECONDS))
}

/// The engine of tables. Shard and replica are what each server calls itself in its macros.
pub fn engine(cluster: Option<&str>) -> &'static str {
    match cluster {
        None => "MergeTree",
        Some(_) => "ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')",
    }
}

fn on_cluster(cluster: Option<&str>) -> String {
    cluster.map(|cluster| format!(" ON CLUSTER {}", sql::name(cluster))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clickhouse::schema::table;

    #[test]
    fn a_cluster_gets_replicated_tables_on_all_its_servers() {
        let audit = table("audit_log").expect("a table");
        let statement = create_table("hexflow", audit, Some("main"), Duration::ZERO);
        assert!(statement.starts_with("CREATE TABLE IF NOT EXISTS `hexflow`.`audit_log` ON CLUSTER `main`\n("));
        assert!(statement.contains("ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/"), "{statement}");
        assert!(statement.contains("ORDER BY (`request_id`, `entity`, `entity_id`)"), "{statement}");
        assert_eq!(
            create_database("hexflow", Some("main")),
            "CREATE DATABASE IF NOT EXISTS `hexflow` ON CLUSTER `main`"
        );
    }
    #[test]
    fn recent_rows_go_and_what_is_handed_over_is_a_partition() {
        let of = |name| create_table("x", table(name).expect("a table"), Some("main"), Duration::from_secs(7_200));
        let (recent, handed) = (of("camera_detections"), of("pending_changes"));
        let ttl = "`written_at` DateTime DEFAULT now()\n)\nENGINE = Replicated";
        assert!(recent.contains(ttl) && recent.contains("\nTTL written_at + toIntervalSecond(7200)\n"), "{recent}");
        assert!(handed.contains("\nPARTITION BY (`pipeline`, `number`)\nORDER BY"), "{handed}");
    }
}
