//! The statements that make the database and its tables.

use super::schema::Table;
use super::sql;

/// Rows of a granule. Versions are looked up by key, some thousand keys at a time: the fewer rows lie beside each, the less
/// is read.
const GRANULE_ROWS: u32 = 1024;

/// The statement that makes the database, on all of `cluster` if there is one.
pub fn create_database(database: &str, cluster: Option<&str>) -> String {
    format!("CREATE DATABASE IF NOT EXISTS {}{}", sql::name(database), on_cluster(cluster))
}

/// The statement that makes a table in `database`: replicated, where there is a `cluster` to replicate it in.
///
/// Numbers of blocks are kept, so that deletes can be patches beside the parts instead of new parts.
pub fn create_table(database: &str, table: &Table, cluster: Option<&str>) -> String {
    let columns: Vec<_> = table.typed().map(|(name, kind)| format!("    {} {kind}", sql::name(name))).collect();
    format!(
        "CREATE TABLE IF NOT EXISTS {}.{}{}\n(\n{}\n)\nENGINE = {}\nORDER BY ({})\nSETTINGS index_granularity = {}, \
         enable_block_number_column = 1, enable_block_offset_column = 1",
        sql::name(database),
        sql::name(table.name),
        on_cluster(cluster),
        columns.join(",\n"),
        engine(cluster),
        table.key().map(sql::name).collect::<Vec<_>>().join(", "),
        GRANULE_ROWS,
    )
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
        let statement = create_table("hexflow", audit, Some("main"));
        assert!(statement.starts_with("CREATE TABLE IF NOT EXISTS `hexflow`.`audit_log` ON CLUSTER `main`\n("));
        assert!(statement.contains("ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/"), "{statement}");
        assert!(statement.contains("ORDER BY (`request_id`, `entity`, `entity_id`)"), "{statement}");
        assert_eq!(
            create_database("hexflow", Some("main")),
            "CREATE DATABASE IF NOT EXISTS `hexflow` ON CLUSTER `main`"
        );
    }
}
